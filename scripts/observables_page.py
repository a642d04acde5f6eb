#!/usr/bin/env python
"""The tables of docs/observables.md: `.venv/bin/python scripts/observables_page.py`."""

from __future__ import annotations

from pathlib import Path

from rgcontract.files import write_text
from rgcontract.observables import OBSERVABLES, REASONS, Group, Observable
from scripts.marked import filled

PAGE = Path(__file__).parents[1] / "docs" / "observables.md"


def tables() -> dict[str, str]:
    """The tables by the name between their markers."""
    by_group = {
        group.value: [_cells(row) for row in OBSERVABLES.values() if row.group is group]
        for group in Group
    }
    head = ["name", "symbol, unit", "formula", "bias", "null"]
    return {name: _table(head, rows) for name, rows in by_group.items()} | {
        "reasons": _table(["reason", ""], [[f"`{name}`", text] for name, text in REASONS.items()])
    }


def current(page: str) -> str:
    """The page with its tables as the rows have them."""
    for name, table in tables().items():
        page = filled(page, f"<!-- {name} -->\n", f"\n<!-- end of {name} -->", table)
    return page


def _cells(row: Observable) -> list[str]:
    source = f" ({row.source})" if row.source else ""
    unit = f", {row.unit}" if row.unit else ""
    return [f"`{row.name}`", f"{row.symbol}{unit}".lstrip(", "), row.formula + source, row.bias,
            row.null]  # fmt: skip


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |".replace("|  |", "| |") for cells in lines)


if __name__ == "__main__":
    write_text(PAGE, current(PAGE.read_text(encoding="utf-8")))

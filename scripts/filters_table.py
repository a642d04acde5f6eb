"""Write the filters and orders that there are into docs/api.md: run it after a change of a row."""

from __future__ import annotations

import re
from pathlib import Path

from rgcontract.files import write_text
from rgcontract.filters import FILTERS, described
from rgcontract.sorting import SORTS
from scripts.marked import filled

PAGE = Path(__file__).parent.parent / "docs" / "api.md"
START, END = "<!-- filters: made by scripts/filters_table.py -->", "<!-- end of filters -->"

ORDERS, END_OF_ORDERS = (
    "<!-- orders: made by scripts/filters_table.py -->",
    "<!-- end of orders -->",
)


def orders() -> str:
    """The rows of what a list is ordered by as a table."""
    lines = ["| order by | what it is |", "|---|---|"]
    lines += [
        f"| `{row.name}` | {_cell(row.meaning)}{f' ({row.unit})' if row.unit else ''} |"
        for row in SORTS.values()
    ]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def current(text: str) -> str:
    """The page with the table, and the names in its refusal, as the rows say them."""
    names = ", ".join(FILTERS)
    page = filled(text, START, END, f"\n\n{described()}\n\n")
    page = filled(page, ORDERS, END_OF_ORDERS, f"\n\n{orders()}\n\n")
    return re.sub(
        r"limit, cursor,( sort,)? state(, [a-z_]+)*", f"limit, cursor, sort, {names}", page
    )


if __name__ == "__main__":
    write_text(PAGE, current(PAGE.read_text()))

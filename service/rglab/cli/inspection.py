"""What `rglab doctor --invariants` says: which invariants hold, and the rows that break others."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from rich.table import Table

from rgcore.statistics import summarise_runs
from rglab.cli.console import err, out
from rgstore.database import Database
from rgstore.invariants import INVARIANTS, Breach, Invariant, Scope
from rgstore.invariants.invariant import MOST_BREACHES

Found = dict[Invariant, list[Breach]]
"""Invariant -> the rows that break it."""


def inspect(database: Database, *, as_json: bool) -> bool:
    """Check every invariant on all that is stored and say what was found.

    Returns:
        Whether any is broken.
    """
    found = dict(_checked(database))
    if as_json:
        out.print(_json(found), markup=False, soft_wrap=True)
    else:
        _print(found)
    return any(found.values())


def _checked(database: Database) -> Iterator[tuple[Invariant, list[Breach]]]:
    scope = Scope(summarise_runs)
    with err.status("") as status:  # shown on a terminal only
        for number, invariant in enumerate(INVARIANTS, 1):
            status.update(f"{invariant.name}, {number} of {len(INVARIANTS)}")
            yield invariant, invariant.breaches(database, scope)


def _json(found: Mapping[Invariant, list[Breach]]) -> str:
    told = [
        {"invariant": invariant.name, "says": invariant.says, "broken_by": rows}
        for invariant, rows in found.items()
    ]
    return json.dumps(told, default=str, indent=1)  # a time as text


def _print(found: Mapping[Invariant, list[Breach]]) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("invariant", no_wrap=True)
    table.add_column("says")
    for invariant, rows in found.items():
        mark = f"[red]{_count(rows)}[/]" if rows else "[green]ok[/]"
        table.add_row(mark, invariant.name, invariant.says)
    out.print(table)
    for invariant, rows in found.items():
        for row in rows:
            words = ", ".join(f"{column} {value}" for column, value in row.items())
            out.print(f"{invariant.name}: {words}", markup=False, soft_wrap=True)


def _count(rows: list[Breach]) -> str:
    return f"{len(rows)} or more" if len(rows) == MOST_BREACHES else str(len(rows))

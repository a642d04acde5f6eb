"""What columns may hold: moments that a calendar has, and numbers that are numbers.

Postgres also knows an infinite moment, and years beyond 9999: who reads one with Python gets an
error instead of the row. A number on its own is finite; arrays hold NaN where a quantity is not
defined, and who reads them says so.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, DateTime, Table

from rgstore.plain import Float

FIRST, LAST = "0002-01-01 00:00:00+00", "9998-12-31 00:00:00+00"
"""A year from what Python can hold, for the time zone of whoever reads it."""


def bound(table: Table) -> None:
    """Check every moment and number of a table; each constraint is named after its column."""
    for column in table.columns:
        limits = _limits(column)
        if limits is not None:
            table.append_constraint(CheckConstraint(limits, name=column.name))


def _limits(column: Column[object]) -> str | None:
    if isinstance(column.type, DateTime):
        return f"{column.name} >= '{FIRST}' AND {column.name} <= '{LAST}'"
    if isinstance(column.type, Float):  # NaN is above every number here
        return f"{column.name} > '-Infinity' AND {column.name} < 'Infinity'"
    return None

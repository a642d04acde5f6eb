"""What a list of experiments can be put in order by: one row for each.

The columns that hold one value of every experiment, and the numbers that a range of filters is of.
Ties are in the order of names, and what has no such number comes last, whichever way.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import datetime
from enum import EnumType
from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from rgcontract.columns import COLUMNS
from rgcontract.filters import FILTERS, How, Measured
from rgcontract.status import ExperimentSummary


@dataclass(frozen=True)
class Sort:
    """One thing to order a list by."""

    name: str
    on: str | Measured
    """A column of an experiment, or what it measured."""
    type: Any
    """Of its value."""
    meaning: str
    unit: str = ""
    symbol: str = ""


_KINDS: dict[type, Any] = {
    str: Annotated[str, Field(pattern="^[^\0]*$")],
    int: int,
    float: Annotated[float, Field(allow_inf_nan=False)],
    datetime: AwareDatetime,
}
"""Types of columns that have an order -> the values that a database takes."""


def _kind(annotation: Any) -> Any:
    """The type of a column; None for one that may be null, or is several values."""
    is_enumeration = isinstance(annotation, EnumType)
    return _KINDS.get(str if is_enumeration else annotation)


_COLUMNS = {
    name: kind
    for name, field in ExperimentSummary.model_fields.items()
    if (kind := _kind(field.annotation)) is not None
}
SORTS: dict[str, Sort] = {
    **{
        name: Sort(
            name, name, kind, COLUMNS[name].meaning, COLUMNS[name].unit, COLUMNS[name].symbol
        )
        for name, kind in _COLUMNS.items()
    },
    **{
        row.range: Sort(row.range, row.on, _KINDS[float], row.range_of, row.unit, row.symbol)
        for row in FILTERS.values()
        if row.how is How.AT_LEAST and isinstance(row.on, Measured)
    },
}
"""Every one by name, columns first."""
NEWEST_FIRST = "-created_at"
"""The order if none is asked for."""
ORDERS = [*SORTS, *(f"-{name}" for name in SORTS)]
"""Every order, rising and falling."""
TAKEN = f"{', '.join(SORTS)}; with - before it for falling"
"""The orders in words."""


@dataclass(frozen=True)
class Order:
    """What a list is ordered by, and which way."""

    by: Sort
    falling: bool

    def __str__(self) -> str:
        """As it is asked for."""
        return f"{'-' * self.falling}{self.by.name}"


class NoSuchOrder(ValueError):
    """A list cannot be ordered so; the message has the nearest that there is."""


def order(asked: str) -> Order:
    """What `corr_len` or `-corr_len` asks for.

    Raises:
        NoSuchOrder: there is no such column or number.

    Example:
        >>> order("-corr_len").by.unit
        'tokens'
    """
    name = asked.removeprefix("-")
    if name in SORTS:
        return Order(SORTS[name], falling=asked.startswith("-"))
    near = difflib.get_close_matches(name, SORTS, n=2)
    raise NoSuchOrder(
        f"there is no order by {name!r}" + (f"; did you mean {' or '.join(near)}?" if near else "")
    )

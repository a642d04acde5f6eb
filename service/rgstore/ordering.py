"""The orders of a list as SQL: `rgcontract.sorting` says which there are, here is how.

Ties are in the order of names, so that every experiment has a place of its own. What has no number
to be ordered by comes last, rising and falling.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, literal, tuple_

from rgcontract.filters import Measured
from rgcontract.sorting import Order
from rgstore.filtering import compared_by
from rgstore.tables import ExperimentRow


@dataclass(frozen=True)
class Place:
    """Where an experiment stands in an order."""

    value: Any
    """What it is ordered by; None where it has none."""
    name: str


def value(order: Order) -> ColumnElement[Any]:
    """What experiments are ordered by."""
    return compared_by(order.by.on)


def in_order(order: Order) -> list[ColumnElement[Any]]:
    """The order itself."""
    first, name = (
        key.desc() if order.falling else key.asc() for key in (value(order), ExperimentRow.id)
    )
    return [first.nulls_last() if _may_lack(order) else first, name]


def comes_after(order: Order, place: Place) -> ColumnElement[bool]:
    """Whether an experiment stands after a place."""
    of, name = value(order), ExperimentRow.id
    if place.value is None:
        return of.is_(None) & (name < place.name if order.falling else name > place.name)
    keys, last = tuple_(of, name), tuple_(literal(place.value), literal(place.name))
    after = keys < last if order.falling else keys > last
    return after | of.is_(None) if _may_lack(order) else after


def _may_lack(order: Order) -> bool:
    """Whether there may be no value: else an index gives the order, and nothing is said of null."""
    return isinstance(order.by.on, Measured)

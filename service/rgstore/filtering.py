"""The filters of a list as SQL: `rgcontract.filters` says which there are, here is how."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Double, func, literal, select
from sqlalchemy.orm import Session

from rgcontract.filters import FILTERS, Digest, Filter, How, Measured
from rgstore import aliases
from rgstore.among import among
from rgstore.tables import ExperimentRow, SubmissionRow, SummaryRow

_NAN: BindParameter[float] = literal(math.nan, Double())


def conditions(session: Session, asked: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    """What experiments must fulfil.

    Args:
        session: to look up in what names a hash had before.
        asked: filter -> its value; None asks for any.
    """
    return [
        _condition(session, FILTERS[name], value)
        for name, value in asked.items()
        if value is not None
    ]


def _condition(session: Session, row: Filter, value: Any) -> ColumnElement[bool]:
    if row.how is How.HAS:
        return _tagged(value)
    if row.type is Digest and isinstance(row.on, str):
        names = aliases.names_of(session, value)
        if len(names) > 1:  # one is compared for itself: its index then gives the order too
            return among(getattr(ExperimentRow, row.on), sorted(names))
    of = compared_by(row.on)
    compared: dict[How, ColumnElement[bool]] = {
        How.EQUALS: of == value,
        How.AT_LEAST: of >= value,
        How.AT_MOST: of <= value,
    }
    return compared[row.how]


def compared_by(on: str | Measured) -> ColumnElement[Any]:
    """What a filter, or an order, is on: a column, or a number that was measured."""
    return _measured(on) if isinstance(on, Measured) else getattr(ExperimentRow, on)


def _measured(of: Measured) -> ColumnElement[float]:
    """The number of an experiment; null, which passes no filter, where it has none.

    One row by its key for each experiment that is looked at, so a page costs what it passes over.
    """
    row = SummaryRow
    first, last = row.mean[1], row.mean[func.cardinality(row.mean)]
    number = last / func.nullif(first, 0, type_=Double()) if of.last_over_first else first
    return (
        # Postgres holds NaN above every number, and a number that does not exist is none
        select(func.nullif(number, _NAN))
        .where(
            row.experiment_id == ExperimentRow.id,
            row.when == "final",
            among(row.level, of.levels),
            row.quantity == of.quantity,
        )
        .limit(1)
        .correlate(ExperimentRow)
        .scalar_subquery()
    )


def _tagged(tag: str) -> ColumnElement[bool]:
    """Whether any request has given an experiment this tag."""
    request = SubmissionRow
    asked = select(request.experiment_id).where(request.tags.contains([tag])).scalar_subquery()
    # an array, not a semi-join: both sides are then found by their index and put together
    return ExperimentRow.tags.contains([tag]) | (ExperimentRow.id == func.any(func.array(asked)))

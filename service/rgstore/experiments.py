"""Reading experiments that are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.orm import Session

from rgcontract import ExperimentSummary
from rgcontract.sorting import NEWEST_FIRST, Order, order
from rgstore import ordering
from rgstore.filtering import conditions
from rgstore.ordering import Place
from rgstore.tables import ExperimentRow, SubmissionRow
from rgstore.wishes import wants_any

COLUMNS = tuple(name for name in ExperimentSummary.model_fields if hasattr(ExperimentRow, name))
"""What a list shows that an experiment has a column for: all but the spec, which is most of it."""

KEY = "ordered_by"
"""Label of what a list is ordered by."""
NEWEST = order(NEWEST_FIRST)


def owners(session: Session, *requests: ColumnElement[bool]) -> list[str]:
    """Who wants what these requests asked for; if nobody does any more, who made them."""
    row = SubmissionRow
    who = select(row.owner, func.bool_or(wants_any())).where(*requests).group_by(row.owner)
    found = session.execute(who.order_by(row.owner)).all()
    return [owner for owner, still in found if still] or [owner for owner, _ in found]


def has_asked(session: Session, owner: str, request: ColumnElement[bool]) -> bool:
    """Whether any such request is theirs, whether or not they want it still."""
    found = select(SubmissionRow.id).where(SubmissionRow.owner == owner, request).limit(1)
    return session.scalar(found) is not None


def get(session: Session, name: str) -> ExperimentRow | None:
    """An experiment by its name."""
    return session.get(ExperimentRow, name)


def page(
    session: Session,
    filters: Mapping[str, Any],
    *,
    order: Order = NEWEST,
    after: Place | None,
    limit: int,
) -> Sequence[Row[*tuple[Any, ...]]]:
    """A page of experiments in an order, from just after a place in it.

    Args:
        session: to read in.
        filters: what it is narrowed to, filter -> value.
        order: the newest first if not given.
        after: the place of the last one of the page before.
        limit: how many at most.

    Returns:
        Of each experiment `COLUMNS`, and last what it is ordered by.
    """
    narrowed = conditions(session, filters)
    if after is not None:
        narrowed.append(ordering.comes_after(order, after))
    return session.execute(
        select(
            *(getattr(ExperimentRow, name) for name in COLUMNS), ordering.value(order).label(KEY)
        )
        .where(*narrowed)
        .order_by(*ordering.in_order(order))
        .limit(limit)
    ).all()

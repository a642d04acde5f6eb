"""Reading experiments that are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, or_, select, tuple_
from sqlalchemy.orm import Session

from rgcontract import ExperimentSummary
from rgstore.filtering import conditions
from rgstore.tables import ExperimentRow, SubmissionRow

COLUMNS = tuple(name for name in ExperimentSummary.model_fields if hasattr(ExperimentRow, name))
"""What a list shows that an experiment has a column for: all but the spec, which is most of it."""


def owners(session: Session, *requests: ColumnElement[bool]) -> list[str]:
    """Who wants what these requests asked for; if nobody does any more, who made them."""
    row = SubmissionRow
    wants = or_(row.wanted.is_(None), func.cardinality(row.wanted) > 0)
    who = select(row.owner, func.bool_or(wants)).where(*requests).group_by(row.owner)
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
    session: Session, filters: Mapping[str, Any], *, after: tuple[datetime, str] | None, limit: int
) -> Sequence[Row[*tuple[Any, ...]]]:
    """A page of experiments, newest first, from just after a (created_at, id) key.

    Args:
        session: to read in.
        filters: what it is narrowed to, filter -> value.
        after: the key of the last one of the page before.
        limit: how many at most.
    """
    narrowed = conditions(filters)
    if after is not None:
        narrowed.append(tuple_(ExperimentRow.created_at, ExperimentRow.id) < after)
    return session.execute(
        select(*(getattr(ExperimentRow, name) for name in COLUMNS))
        .where(*narrowed)
        .order_by(ExperimentRow.created_at.desc(), ExperimentRow.id.desc())
        .limit(limit)
    ).all()

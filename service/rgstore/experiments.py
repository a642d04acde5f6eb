"""Reading experiments that are stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, tuple_
from sqlalchemy.orm import Session

from rgcontract import ExperimentSummary
from rgstore.among import among
from rgstore.filtering import conditions
from rgstore.tables import ExperimentRow, SubmissionRow

COLUMNS = tuple(name for name in ExperimentSummary.model_fields if hasattr(ExperimentRow, name))
"""What a list shows that an experiment has a column for: all but the spec, which is most of it."""


@dataclass(frozen=True)
class Words:
    """What someone calls an experiment."""

    label: str | None
    tags: list[str]


NO_WORDS = Words(None, [])


def words_of(session: Session, names: Iterable[str], reader: str) -> dict[str, Words]:
    """Experiment -> what its reader calls it, for those of which they asked for anything."""
    row = SubmissionRow
    requests = session.execute(
        select(row.experiment_id, row.label, func.array_remove(row.tags, None))
        .where(row.owner == reader, among(row.experiment_id, names))
        .order_by(row.id)
    )
    found: dict[str, Words] = {}
    for name, label, tags in requests:
        before = found.get(name, NO_WORDS)
        found[name] = Words(before.label or label, sorted({*before.tags, *tags}))
    return found


def owners_of(session: Session, name: str) -> list[str]:
    """Who has asked for any of an experiment."""
    row = SubmissionRow
    owners = select(row.owner).where(row.experiment_id == name).distinct()
    return list(session.scalars(owners.order_by(row.owner)))


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
    narrowed = conditions(session, filters)
    if after is not None:
        narrowed.append(tuple_(ExperimentRow.created_at, ExperimentRow.id) < after)
    return session.execute(
        select(*(getattr(ExperimentRow, name) for name in COLUMNS))
        .where(*narrowed)
        .order_by(ExperimentRow.created_at.desc(), ExperimentRow.id.desc())
        .limit(limit)
    ).all()

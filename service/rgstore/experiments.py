"""Reading experiments that are stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from rgcontract import ExperimentSummary
from rgcontract.sorting import NEWEST_FIRST, Order, order
from rgstore import ordering
from rgstore.among import among
from rgstore.filtering import conditions
from rgstore.ordering import Place
from rgstore.tables import ExperimentRow, SubmissionRow

COLUMNS = tuple(name for name in ExperimentSummary.model_fields if hasattr(ExperimentRow, name))
"""What a list shows that an experiment has a column for: all but the spec, which is most of it."""

KEY = "ordered_by"
"""Label of what a list is ordered by."""
NEWEST = order(NEWEST_FIRST)


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

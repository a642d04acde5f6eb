"""Reading experiments that are stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import ColumnElement, Row, func, select, tuple_
from sqlalchemy.orm import Session

from rgcontract import Family, Mixing, State
from rgcontract.spec import Depth, Tag, Width
from rgstore.among import among
from rgstore.tables import ExperimentRow, SubmissionRow

LISTED = (
    ExperimentRow.id, ExperimentRow.spec_hash, ExperimentRow.state, ExperimentRow.family,
    ExperimentRow.corr_len, ExperimentRow.mixing, ExperimentRow.depth, ExperimentRow.width,
    ExperimentRow.label, ExperimentRow.tags, ExperimentRow.owner, ExperimentRow.created_at,
    ExperimentRow.updated_at,
)  # fmt: skip
"""What a list shows: all but the spec, which is most of a row."""


Length = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""Tokens. A bound of a range, so it may lie beyond what a chain can have."""


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to; None means any. The API takes these as query parameters."""

    state: State | None = None
    family: Family | None = None
    mixing: Mixing | None = None
    corr_len_min: Length | None = None
    corr_len_max: Length | None = None
    depth: Depth | None = None
    width: Width | None = None
    tag: Tag | None = None
    owner: Annotated[str, Field(min_length=1, max_length=200)] | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The same as SQL."""
        row = ExperimentRow
        exact = {
            row.state: self.state,
            row.family: self.family,
            row.mixing: self.mixing,
            row.depth: self.depth,
            row.width: self.width,
            row.owner: self.owner,
        }
        found: list[ColumnElement[bool]] = [
            column == value for column, value in exact.items() if value is not None
        ]
        if self.corr_len_min is not None:
            found.append(row.corr_len >= self.corr_len_min)
        if self.corr_len_max is not None:
            found.append(row.corr_len <= self.corr_len_max)
        if self.tag is not None:
            found.append(_tagged(self.tag))
        return found


def _tagged(tag: str) -> ColumnElement[bool]:
    """Whether any request has given an experiment this tag."""
    request = SubmissionRow
    asked = select(request.experiment_id).where(request.tags.contains([tag])).scalar_subquery()
    # an array, not a semi-join: both sides are then found by their index and put together
    return ExperimentRow.tags.contains([tag]) | (ExperimentRow.id == func.any(func.array(asked)))


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
        select(row.experiment_id, row.label, row.tags)
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
    session: Session, filters: Filters, *, after: tuple[datetime, str] | None, limit: int
) -> Sequence[Row[*tuple[Any, ...]]]:
    """A page of experiments, newest first, from just after a (created_at, id) key."""
    conditions = filters.conditions()
    if after is not None:
        conditions.append(tuple_(ExperimentRow.created_at, ExperimentRow.id) < after)
    return session.execute(
        select(*LISTED)
        .where(*conditions)
        .order_by(ExperimentRow.created_at.desc(), ExperimentRow.id.desc())
        .limit(limit)
    ).all()

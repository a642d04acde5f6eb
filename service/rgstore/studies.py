"""Studies: grids of experiments that are asked for as one.

Its experiments are shared; of each, the study is about the seeds that its own requests named, and
what others asked for there is none of its business.

Locks are taken in the order runs, experiments (by name), study.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from rgcontract import (
    StudyRequest,
    canonical_json,
)
from rgstore.among import among
from rgstore.asked import ID_DIGITS
from rgstore.tables import (
    ExperimentRow,
    StudyExperimentRow,
    StudyRequestRow,
    StudyRow,
)


@dataclass(frozen=True)
class Member:
    """An experiment of a study."""

    experiment_id: str
    spec_hash: str
    cell: dict[str, Any]
    """Its values on the axes of the grid."""
    corr_len: float
    mixing: str


@dataclass(frozen=True)
class Terms:
    """How one person wants a study."""

    name: str | None
    target_error: float | None
    max_seeds: int
    priority: int


def study_id(spec_hashes: Iterable[str], axes: Iterable[str]) -> str:
    """The name of the study of these experiments on these axes, in whatever order."""
    content = {"axes": sorted(axes), "experiments": sorted(set(spec_hashes))}
    digest = hashlib.sha256(canonical_json(content).encode()).hexdigest()
    return f"s-{digest[:ID_DIGITS]}"


def keep(
    session: Session,
    name: str,
    request: StudyRequest,
    cells: Mapping[str, Mapping[str, Any]],
    *,
    owner: str,
    added_runs: int,
) -> bool:
    """Store a study whose experiments are stored, or bring it up to date. Whether it is new.

    The latest request of each person is on their own terms, and changes nobody else's.

    Args:
        session: the transaction that stored the experiments.
        name: its `study_id`.
        request: the latest; seeds asked for before are kept, and a name, if none is given now.
        cells: experiment -> its values on the axes, in the order of the grid.
        owner: who asks; the first one stays the owner.
        added_runs: runs that the request added.
    """
    terms = Terms(request.name, request.target_error, request.max_seeds, request.priority)
    inserted = session.scalar(
        insert(StudyRow)
        .values(id=name, axes=request.axes(), seeds=list(request.seeds), owner=owner, **vars(terms))
        .on_conflict_do_nothing()
        .returning(StudyRow.id)
    )
    if inserted is not None:
        rows = [
            {"study_id": name, "experiment_id": experiment, "place": place, "cell": cell}
            for place, (experiment, cell) in enumerate(cells.items())
        ]
        session.execute(insert(StudyExperimentRow), rows)
        return True
    study = locked(session, name)
    before = (study.seeds, _own_terms(session, study, owner))
    study.seeds = sorted({*study.seeds, *request.seeds})
    kept = before[1].name if before[1] is not None else None
    put_terms(session, study, owner, replace(terms, name=terms.name or kept))
    now = (study.seeds, _own_terms(session, study, owner))
    # with the findings it is seen whether seeds are to be added, also those that had no room before
    study.findings_due |= bool(added_runs) or before != now or terms.target_error is not None
    session.flush()
    return False


def locked(session: Session, name: str) -> StudyRow:
    """A study that is there, kept from others until the transaction ends."""
    return session.get_one(
        StudyRow, name, with_for_update={"key_share": True}, populate_existing=True
    )


def _own_terms(session: Session, study: StudyRow, owner: str) -> Terms | None:
    if owner == study.owner:
        return _terms(study)
    row = session.get(StudyRequestRow, (study.id, owner), populate_existing=True)
    return None if row is None else _terms(row)


def terms_of(session: Session, study: StudyRow, owner: str) -> Terms:
    """How somebody wants a study; the terms of its owner where they have none of their own."""
    return _own_terms(session, study, owner) or _terms(study)


def put_terms(session: Session, study: StudyRow, owner: str, terms: Terms) -> None:
    """Put terms in place of those that somebody had; the study is locked."""
    if owner == study.owner:
        for field, value in vars(terms).items():
            setattr(study, field, value)
        session.flush()
        return
    session.execute(
        insert(StudyRequestRow)
        .values(study_id=study.id, owner=owner, **vars(terms))
        .on_conflict_do_update(index_elements=["study_id", "owner"], set_=vars(terms))
    )


def names_of(session: Session, studies: Iterable[str], reader: str) -> dict[str, str | None]:
    """Study -> what its reader calls it, for those that others asked for first."""
    row = StudyRequestRow
    own = select(row.study_id, row.name).where(row.owner == reader, among(row.study_id, studies))
    return dict(session.execute(own).all())


def _terms(row: StudyRow | StudyRequestRow) -> Terms:
    return Terms(row.name, row.target_error, row.max_seeds, row.priority)


def get(session: Session, name: str) -> StudyRow | None:
    """A study by its name."""
    return session.get(StudyRow, name)


def get_one(session: Session, name: str) -> StudyRow:
    """A study that is there."""
    return session.get_one(StudyRow, name)


def page(
    session: Session, *, owner: str | None, after: tuple[datetime, str] | None, limit: int
) -> Sequence[StudyRow]:
    """A page of studies, newest first, from just after a (created_at, id) key."""
    conditions = [] if owner is None else [StudyRow.owner == owner]
    if after is not None:
        conditions.append(tuple_(StudyRow.created_at, StudyRow.id) < after)
    return session.scalars(
        select(StudyRow)
        .where(*conditions)
        .order_by(StudyRow.created_at.desc(), StudyRow.id.desc())
        .limit(limit)
    ).all()


def members(session: Session, study: str) -> list[Member]:
    """The experiments of a study, in the order of its grid."""
    rows = session.execute(
        select(
            ExperimentRow.id,
            ExperimentRow.spec_hash,
            StudyExperimentRow.cell,
            ExperimentRow.corr_len,
            ExperimentRow.mixing,
        )
        .join(StudyExperimentRow, StudyExperimentRow.experiment_id == ExperimentRow.id)
        .where(StudyExperimentRow.study_id == study)
        .order_by(StudyExperimentRow.place)
    )
    return [Member(*values) for values in rows]

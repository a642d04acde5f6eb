"""Studies: grids of experiments that are asked for as one.

Its experiments are shared; of each, the study is about the seeds that its own requests named, and
what others asked for there is none of its business.

Locks are taken in the order runs, experiments (by name), study.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from rgcontract import (
    StudyRequest,
    canonical_json,
)
from rgstore.asked import ID_DIGITS
from rgstore.tables import (
    ExperimentRow,
    StudyExperimentRow,
    StudyRow,
    SubmissionRow,
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

    The latest request steers it; while others want it too, it may only make it more precise or more
    urgent.

    Args:
        session: the transaction that stored the experiments.
        name: its `study_id`.
        request: the latest; seeds asked for before are kept, and a name, if the owner gives none.
        cells: experiment -> its values on the axes, in the order of the grid.
        owner: who asks; the first one stays the owner.
        added_runs: runs that the request added.
    """
    steering = {
        "target_error": request.target_error,
        "max_seeds": request.max_seeds,
        "priority": request.priority,
    }
    inserted = session.scalar(
        insert(StudyRow)
        .values(
            id=name,
            name=request.name,
            axes=request.axes(),
            seeds=list(request.seeds),
            owner=owner,
            **steering,
        )
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
    study = session.get_one(
        StudyRow, name, with_for_update={"key_share": True}, populate_existing=True
    )
    before = (study.seeds, study.target_error, study.max_seeds)
    study.seeds = sorted({*study.seeds, *request.seeds})
    names = (request.name, study.name) if owner == study.owner else (study.name, request.name)
    study.name = names[0] or names[1]
    if _others_want(session, name, owner):
        study.priority = max(study.priority, request.priority)
        if request.target_error is not None:
            study.target_error = min(request.target_error, study.target_error or math.inf)
            study.max_seeds = max(study.max_seeds, request.max_seeds)
    else:
        for field, value in steering.items():
            setattr(study, field, value)
    if added_runs or before != (study.seeds, study.target_error, study.max_seeds):
        study.findings_due = True  # with the findings it is seen whether seeds are to be added
    session.flush()
    return False


def _others_want(session: Session, name: str, owner: str) -> bool:
    row = SubmissionRow
    wants = or_(row.wanted.is_(None), func.cardinality(row.wanted) > 0)
    others = select(row.id).where(row.study_id == name, row.owner != owner, wants).limit(1)
    return session.scalar(others) is not None


def get(session: Session, name: str) -> StudyRow | None:
    """A study by its name."""
    return session.get(StudyRow, name)


def get_one(session: Session, name: str) -> StudyRow:
    """A study that is there."""
    return session.get_one(StudyRow, name)


def owners_of(session: Session, name: str) -> list[str]:
    """Who has asked for a study."""
    row = SubmissionRow
    owners = select(row.owner).where(row.study_id == name).distinct()
    return list(session.scalars(owners.order_by(row.owner)))


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

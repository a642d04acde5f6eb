"""Seeds that a study asks for in the name of its owners, to be more precise."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from rgcontract import State, Submission
from rgstore import quotas
from rgstore.asked import Asked
from rgstore.stored_specs import loaded_spec
from rgstore.studies import terms_of
from rgstore.submissions import submit_all
from rgstore.tables import (
    ExperimentRow,
    RunRow,
    StudyRow,
    SubmissionRow,
)
from rgstore.wishes import of_study

log = logging.getLogger(__name__)


def owners_served(session: Session, name: str) -> list[str]:
    """Who asked for a study, wants it still, and has all that they asked for measured."""
    row = SubmissionRow
    wants = RunRow.seed == func.any(row.wanted)
    rows = select(row.owner).join(RunRow, and_(RunRow.experiment_id == row.experiment_id, wants))
    served = (
        rows.where(row.study_id == name)
        .group_by(row.owner)
        .having(func.bool_and(RunRow.state == State.DONE))
        .order_by(row.owner)
    )
    return list(session.scalars(served))


def add_seeds(
    session: Session,
    study: StudyRow,
    more: Mapping[str, Mapping[str, int]],
    *,
    attempt_limit: int,
    lab: quotas.Amounts = MappingProxyType({}),
) -> list[int]:
    """Ask for further training seeds of experiments of a study, in the name of its owners.

    Seeds that others have had measured or queued are taken like any other; those that have failed
    are passed over, for they would fail this study too. They count for the quotas of whose they
    are: who has no room for all that they would get gets none, until they ask for the study again
    or more of it is measured.

    Args:
        session: a transaction that has locked nothing that a request would wait for.
        study: the study.
        more: who asks -> experiment -> how many seeds. They ask for the same ones, some for fewer.
        attempt_limit: of the runs that are added.
        lab: the limits of everybody who has none of their own.

    Returns:
        The runs to send messages for.
    """
    held = quotas.hold(session, more, lab)
    most: dict[str, int] = {}
    for of_owner in more.values():
        for name, n in of_owner.items():
            most[name] = max(n, most.get(name, 0))
    # before any of them asks: what one has asked for is no more free for the next
    free = {name: _free(session, study.id, name, n) for name, n in most.items() if n}
    run_ids: list[int] = []
    for owner, of_owner in more.items():
        asked = [
            _on_terms_of(session, study, owner, name, free[name][:n])
            for name, n in of_owner.items()
            if n
        ]
        if asked and _has_room(session, owner, held[owner], asked):
            stored = submit_all(
                session, asked, owner=owner, attempt_limit=attempt_limit, study_id=study.id
            )
            run_ids += [run_id for one in stored for run_id in one.run_ids]
    return run_ids


def _has_room(session: Session, owner: str, limits: quotas.Amounts, asked: Sequence[Asked]) -> bool:
    if not limits:
        return True
    try:
        quotas.check(session, owner, limits, quotas.added_by(session, owner, asked))
    except quotas.OverQuotaError as error:
        log.info("no further seeds for %s, who has used up: %s", owner, error)
        return False
    return True


def _free(session: Session, study: str, name: str, n: int) -> list[int]:
    """The next `n` seeds of an experiment that a study does not have yet."""
    unfit = or_(of_study(study), RunRow.state == State.FAILED)
    taken = set(session.scalars(select(RunRow.seed).where(RunRow.experiment_id == name, unfit)))
    return [seed for seed in range(len(taken) + n) if seed not in taken][:n]


def _on_terms_of(
    session: Session, study: StudyRow, owner: str, name: str, seeds: Sequence[int]
) -> Asked:
    """A request as urgent as its owner wants the study, for the device that they named last."""
    experiment = session.get_one(ExperimentRow, name)
    spec = loaded_spec(experiment.spec, seeds)
    row = SubmissionRow
    device: Any = session.scalar(
        select(row.device)
        .where(row.study_id == study.id, row.experiment_id == experiment.id, row.owner == owner)
        .order_by(row.id.desc())
        .limit(1)
    )
    submission = Submission.model_construct(
        **dict(spec), priority=terms_of(session, study, owner).priority, device=device or "any"
    )
    return Asked(
        experiment.id,
        experiment.spec_hash,
        submission,
        experiment.flops_per_run,
        experiment.stored_bytes_per_run or 0.0,
    )

"""Findings: which studies they are to be written of, and writing them.

Whoever writes findings holds an advisory lock of the study meanwhile, so that storing a run never
waits for a verdict.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import exists, func, or_, select, update
from sqlalchemy.orm import Session

from rgcontract import (
    IMPLEMENTED,
    Protocols,
)
from rgstore import clock
from rgstore.among import among
from rgstore.study_runs import count_measured
from rgstore.tables import (
    ExperimentRow,
    StudyExperimentRow,
    StudyRow,
    SubmissionRow,
)

FINDINGS_LOCK = 0x52474C46  # an arbitrary number, "RGLF"; with the study it names a lock


def mark_due(session: Session, experiment_id: str, seed: int) -> None:
    """A seed was measured: the findings of the studies that asked for it are to be written anew."""
    row = SubmissionRow
    asked = or_(row.seeds.is_(None), row.seeds.contains([seed]))
    containing = (
        select(StudyRow.id)
        .where(
            exists().where(row.study_id == StudyRow.id, row.experiment_id == experiment_id, asked)
        )
        .order_by(StudyRow.id)  # two that mark the same studies take their locks in one order
        .with_for_update(of=StudyRow, key_share=True)
    )
    names = session.scalars(containing).all()
    if names:
        session.execute(
            update(StudyRow)
            .where(among(StudyRow.id, names))
            .values(findings_due=True)
            .execution_options(synchronize_session=False)
        )


def next_due(
    session: Session, implements: Protocols = IMPLEMENTED, *, after: str = ""
) -> StudyRow | None:
    """A study whose findings are to be written, kept from others until this transaction ends.

    None if there is none, or other workers are at them. What a newer release measured is judged by
    a worker that implements it.

    Args:
        session: its transaction writes them.
        implements: what this worker does.
        after: the name of the study before: who goes through them comes to each once.
    """
    newer = (
        select(StudyExperimentRow.study_id)
        .join(ExperimentRow, ExperimentRow.id == StudyExperimentRow.experiment_id)
        .where(
            StudyExperimentRow.study_id == StudyRow.id,
            or_(
                ExperimentRow.spec_schema > implements.spec_schema,
                ExperimentRow.training_protocol > implements.training_protocol,
                ExperimentRow.protocol > implements.protocol,
            ),
        )
    )
    due = (
        select(StudyRow)
        .where(StudyRow.findings_due, StudyRow.id > after, ~newer.exists())
        .order_by(StudyRow.id)
    )
    for study in session.scalars(due).all():
        lock = func.pg_try_advisory_xact_lock(FINDINGS_LOCK, func.hashtext(study.id))
        if session.scalar(select(lock)):
            session.refresh(study)  # whoever held the lock before may have written them
            if study.findings_due:
                return study
    return None


def keep_findings(
    session: Session, study: StudyRow, findings: dict[str, Any] | None, *, over: int
) -> None:
    """Write the findings; they stay due if runs were measured while they were made.

    Args:
        session: the transaction of `next_due`.
        study: what it gave.
        findings: as JSON, `rgcontract.Findings`; None if nothing is measured.
        over: `count_measured` from before the values were read.
    """
    session.refresh(study, with_for_update={"key_share": True})
    # counted under the lock: a run that commits later waits for it and marks the study anew
    study.findings_due = count_measured(session, study.id) != over
    study.findings = findings
    study.findings_at = session.scalar(select(clock.instant()))
    session.flush()

"""Taking in a spec: the same record for the same spec, only the missing seeds added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from rgcontract import (
    PROTOCOL,
    ExperimentSpec,
    State,
    Submission,
    chain_hash,
    measurement_hash,
    training_hash,
)
from rgstore.records import RunKey
from rgstore.tables import ExperimentRow, RunRow, SubmissionRow
from rgstore.transitions import move, refresh_experiment

ID_DIGITS = 16  # 64 bits of the hash name an experiment; all 256 keep it unique


@dataclass(frozen=True)
class Submitted:
    """What became of a submission."""

    experiment_id: str
    created: bool
    added_seeds: list[int]
    run_ids: list[int]
    """Runs to send a message for."""


class IdempotencyKeyReusedError(Exception):
    """The key came before with another body."""


def experiment_id(spec: ExperimentSpec) -> str:
    """The name of the experiment of a spec."""
    return f"e-{measurement_hash(spec)[:ID_DIGITS]}"


def missing_runs(session: Session, spec: ExperimentSpec) -> list[RunKey]:
    """Runs of a spec that the lab has neither measured nor queued."""
    present = session.execute(
        select(RunRow.chain_seed, RunRow.seed).where(
            RunRow.experiment_id == experiment_id(spec), RunRow.state != State.CANCELLED
        )
    )
    return sorted(set(spec.runs) - {(chain_seed, seed) for chain_seed, seed in present})


def submit(
    session: Session,
    submission: Submission,
    *,
    owner: str,
    attempt_limit: int,
    idempotency_key: str | None = None,
    body_hash: str,
    flops_per_run: float,
) -> Submitted:
    """Store a submission. Commit before telling anyone.

    Runs that were cancelled are queued again, since someone wants them now, and those that are
    about to be go on; failed ones are not, since they would fail again: that takes an explicit
    retry.

    Raises:
        IdempotencyKeyReusedError: the owner used this key with another body.
    """
    if idempotency_key is not None:
        earlier = _earlier(session, owner, idempotency_key)
        if earlier is not None:
            return _replay(earlier, body_hash)
    name = experiment_id(submission)
    created = _insert_experiment(session, name, submission, owner, flops_per_run)
    added = _add_runs(session, name, submission, attempt_limit)
    if not created:  # after the runs: they are locked before the experiment everywhere
        _add_words(session, name, submission)
    if added or created:
        refresh_experiment(session, name)
    seeds = sorted({run.seed for run in added})
    stored = session.scalar(
        insert(SubmissionRow)
        .values(
            owner=owner,
            idempotency_key=idempotency_key,
            body_hash=body_hash,
            experiment_id=name,
            created=created,
            added_seeds=seeds,
        )
        .on_conflict_do_nothing()
        .returning(SubmissionRow.id)
    )
    if stored is None:  # the same key at the same moment: the other one speaks for both
        earlier = _earlier(session, owner, idempotency_key)
        assert earlier is not None  # on_conflict says so
        return _replay(earlier, body_hash)
    return Submitted(name, created, seeds, [run.id for run in added])


def _earlier(session: Session, owner: str, key: str | None) -> SubmissionRow | None:
    return session.scalars(
        select(SubmissionRow).where(
            SubmissionRow.owner == owner, SubmissionRow.idempotency_key == key
        )
    ).first()


def _replay(earlier: SubmissionRow, body_hash: str) -> Submitted:
    if earlier.body_hash != body_hash:
        raise IdempotencyKeyReusedError
    return Submitted(earlier.experiment_id, earlier.created, earlier.added_seeds, [])


def _insert_experiment(
    session: Session, name: str, submission: Submission, owner: str, flops_per_run: float
) -> bool:
    """Insert the experiment, unless it is there. Returns whether it is new."""
    spec = submission.spec
    inserted = session.scalar(
        insert(ExperimentRow)
        .values(
            id=name,
            spec_hash=measurement_hash(spec),
            training_hash=training_hash(spec),
            chain_hash=chain_hash(spec.chain),
            protocol=PROTOCOL,
            spec=stored_spec(spec),
            family=spec.chain.family,
            corr_len=spec.chain.corr_len,
            mixing=spec.model.mixing,
            depth=spec.model.depth,
            width=spec.model.width,
            flops_per_run=flops_per_run,
            label=submission.label,
            tags=sorted(set(submission.tags)),
            priority=submission.priority,
            owner=owner,
            state=State.QUEUED,
        )
        .on_conflict_do_nothing()  # of its id or its hash, whichever Postgres meets first
        .returning(ExperimentRow.id)
    )
    return inserted is not None


def _add_words(session: Session, name: str, submission: Submission) -> None:
    """Add the tags to an experiment, and the label if it has none."""
    if not submission.tags and not submission.label:
        return
    row = session.scalars(
        select(ExperimentRow)
        .where(ExperimentRow.id == name)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()
    row.tags = sorted({*row.tags, *submission.tags})
    row.label = row.label or submission.label


def _add_runs(
    session: Session, name: str, submission: Submission, attempt_limit: int
) -> list[RunRow]:
    wanted = [
        {
            "experiment_id": name,
            "chain_seed": chain_seed,
            "seed": seed,
            "state": State.QUEUED,
            "priority": submission.priority,
            "attempt_limit": attempt_limit,
        }
        for chain_seed, seed in submission.runs
    ]
    new = session.scalars(
        insert(RunRow)
        .values(wanted)
        .on_conflict_do_nothing(index_elements=["experiment_id", "chain_seed", "seed"])
        .returning(RunRow)
    ).all()
    revived = move(
        session,
        State.CANCELLED,
        State.QUEUED,
        RunRow.experiment_id == name,
        RunRow.seed.in_(submission.seeds),
        attempt_limit=RunRow.attempt + attempt_limit,
    )
    session.execute(
        update(RunRow)
        .where(
            RunRow.experiment_id == name,
            RunRow.seed.in_(submission.seeds),
            RunRow.state == State.RUNNING,
            RunRow.cancel_requested,
        )
        .values(cancel_requested=False)
        .execution_options(synchronize_session=False)
    )
    return [*new, *revived]


def stored_spec(spec: ExperimentSpec) -> dict[str, Any]:
    """The spec as it is kept: without the seeds, which are the runs."""
    return spec.model_dump(mode="json", exclude={"seeds"})


def loaded_spec(stored: dict[str, Any], seeds: list[int]) -> ExperimentSpec:
    """The spec of a stored experiment with these seeds.

    Lax, since what was stored is plain JSON: 7.0 may come back as 7, a tuple as a list.
    """
    return ExperimentSpec.model_validate({**stored, "seeds": seeds}, strict=False)


def count_runs(session: Session, name: str) -> dict[str, int]:
    """Runs of an experiment by state."""
    rows = session.execute(
        select(RunRow.state, func.count())
        .where(RunRow.experiment_id == name)
        .group_by(RunRow.state)
    )
    return dict(rows.all())

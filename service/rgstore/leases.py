"""Runs as workers hold them: claim, heartbeat, finish, fail, give back.

A worker owns a run while its lease lasts. Every write carries the attempt and the lease owner; if
no row is touched the run has gone to someone else and `LeaseLostError` tells the worker to stop.
Only Postgres' clock counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select, text, update
from sqlalchemy.orm import Session

from rgcontract import State
from rgstore.tables import AttemptRow, ExperimentRow, RunRow
from rgstore.transitions import move, refresh_experiment


class LeaseLostError(RuntimeError):
    """The run belongs to another worker, or to nobody, by now."""


@dataclass(frozen=True)
class Holder:
    """The worker that claims: what an attempt remembers of it."""

    owner: str
    """Unique to a thread of a worker process."""
    worker: str
    host: str
    device: str
    versions: dict[str, str]
    calibration: dict[str, bool]
    """Known answer -> whether this worker measures it within its tolerance."""


@dataclass(frozen=True)
class Claim:
    """A run that this worker holds."""

    run_id: int
    experiment_id: str
    chain_seed: int
    seed: int
    attempt: int
    attempt_limit: int
    owner: str
    spec: dict[str, Any]

    @property
    def fence(self) -> ColumnElement[bool]:
        """What every write about this run must match."""
        return and_(
            RunRow.id == self.run_id,
            RunRow.attempt == self.attempt,
            RunRow.lease_owner == self.owner,
        )


@dataclass(frozen=True)
class TrainingProgress:
    """What a heartbeat stores."""

    phase: str
    fraction: float
    step: int
    loss: float | None


def claim_next(session: Session, holder: Holder, *, lease_seconds: float) -> Claim | None:
    """Take the first run in line, or None if the line is empty."""
    first = (
        select(RunRow.id)
        .where(RunRow.state == State.QUEUED)
        .order_by(RunRow.priority.desc(), RunRow.queued_at, RunRow.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    taken = move(
        session,
        State.QUEUED,
        State.RUNNING,
        RunRow.id == first,
        attempt=RunRow.attempt + 1,
        lease_owner=holder.owner,
        lease_until=_lease_end(lease_seconds),
    )
    if not taken:
        return None
    run = taken[0]
    session.add(
        AttemptRow(
            run_id=run.id,
            number=run.attempt,
            worker=holder.worker,
            host=holder.host,
            device=holder.device,
            versions=holder.versions,
            calibration=holder.calibration,
        )
    )
    refresh_experiment(session, run.experiment_id)
    spec = session.scalars(
        select(ExperimentRow.spec).where(ExperimentRow.id == run.experiment_id)
    ).one()
    return Claim(
        run_id=run.id,
        experiment_id=run.experiment_id,
        chain_seed=run.chain_seed,
        seed=run.seed,
        attempt=run.attempt,
        attempt_limit=run.attempt_limit,
        owner=holder.owner,
        spec=spec,
    )


def heartbeat(
    session: Session, claim: Claim, progress: TrainingProgress, *, lease_seconds: float
) -> bool:
    """Extend the lease and store progress. Returns whether someone asked to cancel the run.

    Raises:
        LeaseLostError: the run is no longer this worker's.
    """
    asked = session.scalar(
        update(RunRow)
        .where(RunRow.state == State.RUNNING, claim.fence)
        .values(
            lease_until=_lease_end(lease_seconds),
            phase=progress.phase,
            fraction=progress.fraction,
            step=progress.step,
            loss=progress.loss,
        )
        .returning(RunRow.cancel_requested)
        .execution_options(synchronize_session=False)
    )
    if asked is None:
        raise LeaseLostError(f"run {claim.run_id}: attempt {claim.attempt} has lost its lease")
    return asked


def finish(session: Session, claim: Claim, *, trained: bool) -> None:
    """The run is measured. Call in the transaction that stores the measurement, before it."""
    _leave(session, claim, State.DONE, "done", fraction=1.0, phase=None)
    session.execute(
        update(AttemptRow)
        .where(AttemptRow.run_id == claim.run_id, AttemptRow.number == claim.attempt)
        .values(trained=trained)
        .execution_options(synchronize_session=False)
    )


def fail(
    session: Session, claim: Claim, *, outcome: str, error: str, traceback: str | None = None
) -> None:
    """The run cannot be measured, and trying again would not help."""
    _leave(session, claim, State.FAILED, outcome, error, traceback, phase=None)


def let_go(session: Session, claim: Claim) -> State:
    """The run was stopped before its end; the state it goes to.

    `cancelled` if someone asks for that, also while the worker stops. Otherwise, also if the run
    was wanted again meanwhile, it goes back to the line and the attempt does not count.
    """
    if _cancel_is_asked(session, claim):
        _leave(session, claim, State.CANCELLED, "cancelled", phase=None)
        return State.CANCELLED
    _leave(session, claim, State.QUEUED, "released", attempt_limit=RunRow.attempt_limit + 1)
    return State.QUEUED


def retry_or_fail(
    session: Session, claim: Claim, *, outcome: str, error: str, traceback: str | None = None
) -> State:
    """A fault that may pass: back to the line while attempts are left, failed after that.

    Cancelled if someone asked for it before the next heartbeat could say so.
    """
    if _cancel_is_asked(session, claim):
        _leave(session, claim, State.CANCELLED, outcome, error, traceback, phase=None)
        return State.CANCELLED
    if claim.attempt < claim.attempt_limit:
        _leave(session, claim, State.QUEUED, outcome, error, traceback)
        return State.QUEUED
    final = f"{error} (attempt {claim.attempt} of {claim.attempt_limit})"
    _leave(session, claim, State.FAILED, outcome, final, traceback, phase=None)
    return State.FAILED


def _cancel_is_asked(session: Session, claim: Claim) -> bool:
    """Whether the run is to be cancelled, which nobody changes before this transaction ends."""
    asked = select(RunRow.cancel_requested).where(RunRow.state == State.RUNNING, claim.fence)
    return bool(session.scalar(asked.with_for_update()))


def _leave(
    session: Session,
    claim: Claim,
    target: State,
    outcome: str,
    error: str | None = None,
    traceback: str | None = None,
    **values: Any,
) -> None:
    if not move(session, State.RUNNING, target, claim.fence, error=error, **values):
        raise LeaseLostError(f"run {claim.run_id}: attempt {claim.attempt} has lost its lease")
    end_attempt(session, claim.run_id, claim.attempt, outcome, error, traceback)
    refresh_experiment(session, claim.experiment_id)


def end_attempt(
    session: Session,
    run_id: int,
    number: int,
    outcome: str,
    error: str | None,
    traceback: str | None = None,
) -> None:
    """Write the outcome of an attempt into its history."""
    session.execute(
        update(AttemptRow)
        .where(AttemptRow.run_id == run_id, AttemptRow.number == number)
        .values(outcome=outcome, error=error, traceback=traceback, ended_at=func.now())
        .execution_options(synchronize_session=False)
    )


def _lease_end(seconds: float) -> ColumnElement[Any]:
    # clock_timestamp: a lease counts from now, not from when its transaction began
    return func.clock_timestamp() + text(
        f"interval '{timedelta(seconds=seconds).total_seconds()} s'"
    )

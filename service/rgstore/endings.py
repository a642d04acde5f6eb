"""Runs that leave their worker: measured, failed, given back.

Every write carries the attempt and the lease owner; if no row is touched the run has gone to
someone else and `LeaseLostError` tells the worker to stop. Runs are claimed by the fleet and end
one by one.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    all_,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.orm import Session

from rgcontract import Outcome, State
from rgstore import clock
from rgstore.claiming import Claim
from rgstore.tables import AttemptRow, ExperimentRow, RunRow
from rgstore.transitions import move, refresh_experiment


class LeaseLostError(RuntimeError):
    """The run belongs to another worker, or to nobody, by now."""


def finish(session: Session, claim: Claim, *, trained: bool, backend: str | None = None) -> None:
    """The run is measured. Call in the transaction that stores the measurement, before it.

    What trained it goes to what the attempt says of versions: before it said what there was.
    """
    _leave(session, claim, State.DONE, Outcome.DONE, fraction=1.0, phase=None)
    attempt = session.get_one(AttemptRow, (claim.run_id, claim.attempt))
    attempt.trained = trained
    attempt.versions = {**attempt.versions, **by(backend)}


def by(backend: str | None) -> dict[str, str]:
    """What trained a run, as attempts and trainings tell it among versions."""
    return {} if backend is None else {"backend": backend}


def fail(
    session: Session, claim: Claim, *, outcome: Outcome, error: str, traceback: str | None = None
) -> None:
    """The run cannot be measured, and trying again would not help."""
    _leave(session, claim, State.FAILED, outcome, error, traceback, phase=None)


def let_go(session: Session, claim: Claim) -> State:
    """The run was stopped before its end; the state it goes to.

    `cancelled` if someone asks for that, also while the worker stops. Otherwise, also if the run
    was wanted again meanwhile, it goes back to the line and the attempt does not count.
    """
    if _cancel_is_asked(session, claim):
        _leave(session, claim, State.CANCELLED, Outcome.CANCELLED, phase=None)
        return State.CANCELLED
    _leave(session, claim, State.QUEUED, Outcome.RELEASED, attempt_limit=RunRow.attempt_limit + 1)
    return State.QUEUED


def hand_back(session: Session, claim: Claim, *, worker: str, error: str) -> State:
    """The worker cannot read what is asked for, or measures it otherwise: another may take it.

    This one takes no run of the experiment again. The run keeps its place in the line, and the
    attempt does not count. Cancelled if someone asked for that.
    """
    if _cancel_is_asked(session, claim):
        _leave(session, claim, State.CANCELLED, Outcome.UNREADABLE, error, phase=None)
        return State.CANCELLED
    _leave(
        session, claim, State.QUEUED, Outcome.UNREADABLE, error,
        attempt_limit=RunRow.attempt_limit + 1, queued_at=RunRow.queued_at,
    )  # fmt: skip
    row = ExperimentRow
    session.execute(
        update(row)
        .where(row.id == claim.experiment_id, literal(worker) != all_(row.unread_by))
        .values(unread_by=func.array_append(row.unread_by, worker))
        .execution_options(synchronize_session=False)
    )
    return State.QUEUED


def retry_or_fail(
    session: Session, claim: Claim, *, outcome: Outcome, error: str, traceback: str | None = None
) -> State:
    """A fault that may pass: back to the line while attempts are left, failed after that.

    It goes alone from now on, so that it takes no others with it again. Cancelled if someone
    asked for it before the next heartbeat could say so.
    """
    if _cancel_is_asked(session, claim):
        _leave(session, claim, State.CANCELLED, outcome, error, traceback, phase=None)
        return State.CANCELLED
    if claim.attempt < claim.attempt_limit:
        _leave(session, claim, State.QUEUED, outcome, error, traceback, shape=None)
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
    outcome: Outcome,
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
    outcome: Outcome,
    error: str | None,
    traceback: str | None = None,
) -> None:
    """Write the outcome of an attempt into its history."""
    session.execute(
        update(AttemptRow)
        .where(AttemptRow.run_id == run_id, AttemptRow.number == number)
        .values(outcome=outcome, error=error, traceback=traceback, ended_at=clock.now())
        .execution_options(synchronize_session=False)
    )

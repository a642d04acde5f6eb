"""What keeps work from getting stuck: one worker at a time frees expired leases."""

from __future__ import annotations

from sqlalchemy import func, literal, select, update
from sqlalchemy.orm import Session

from rgcontract import Outcome, State
from rgstore import clock
from rgstore.among import among
from rgstore.tables import AttemptRow, RunRow
from rgstore.transitions import move, refresh_experiments

UPKEEP_LOCK = 0x52474C41  # an arbitrary number, "RGLA": one worker at a time does the upkeep
MOST_FREED = 1000
"""Leases in one transaction."""


def try_upkeep_lock(session: Session) -> bool:
    """Whether this transaction is the one that does the upkeep now."""
    return bool(session.scalar(select(func.pg_try_advisory_xact_lock(UPKEEP_LOCK))))


def free_expired_leases(session: Session, *, most: int = MOST_FREED) -> list[int]:
    """Take runs from workers that have not been heard of, at most so many; empty if there are none.

    Each goes back to the line while it has attempts left, to `cancelled` if that was asked for,
    and to `failed` otherwise. One that someone is writing just now is left for the next time.
    """
    expired = session.execute(
        select(RunRow.id, RunRow.experiment_id)
        .where(RunRow.state == State.RUNNING, RunRow.lease_until < clock.instant())
        .order_by(RunRow.lease_until)
        .limit(most)
        .with_for_update(skip_locked=True)
    ).all()
    if not expired:
        return []
    run_ids = [run_id for run_id, _ in expired]
    these = among(RunRow.id, run_ids)
    lost = literal("worker ") + RunRow.lease_owner + literal(" was not heard of any more")
    session.execute(
        update(AttemptRow)
        .where(AttemptRow.run_id == RunRow.id, AttemptRow.number == RunRow.attempt, these)
        .values(outcome=Outcome.LOST, error=lost, ended_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    move(session, State.RUNNING, State.CANCELLED, these, RunRow.cancel_requested.is_(True))
    # alone from now on: it may be what its worker died of
    again = {"error": lost, "shape": None}
    move(
        session, State.RUNNING, State.QUEUED, these, RunRow.attempt < RunRow.attempt_limit, **again
    )
    final = lost + func.format(" (attempt %s of %s)", RunRow.attempt, RunRow.attempt_limit)
    move(session, State.RUNNING, State.FAILED, these, error=final)
    refresh_experiments(session, {name for _, name in expired})
    return run_ids

"""What keeps work from getting stuck: freeing expired leases, knowing which workers are there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Interval, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from rgcontract import IMPLEMENTED, Protocols, State
from rgstore import outbox
from rgstore.among import among
from rgstore.messages import NO_RUN, own
from rgstore.tables import AttemptRow, RunRow, WorkerRow
from rgstore.transitions import move, refresh_experiments

UPKEEP_LOCK = 0x52474C41  # an arbitrary number, "RGLA": one worker at a time does the upkeep
WORKER_SILENT_AFTER = timedelta(seconds=30)
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
        .where(RunRow.state == State.RUNNING, RunRow.lease_until < func.clock_timestamp())
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
        .values(outcome="lost", error=lost, ended_at=func.now())
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


def worker_seen(
    session: Session,
    name: str,
    host: str,
    device: str,
    concurrency: int,
    implements: Protocols = IMPLEMENTED,
    *,
    heard_before: timedelta | None = None,
) -> None:
    """A worker says that it is alive, and where: a name may move to another host.

    It is sent a message when this is committed, to see whether it hears.

    Args:
        session: to write in.
        name: of the worker.
        host: where it runs.
        device: kind of device that it trains on.
        concurrency: its trainers.
        implements: what it can measure.
        heard_before: how long ago a message reached it last; None if none ever did.
    """
    heard_at = None if heard_before is None else _ago(heard_before)
    found = {
        "host": host,
        "device": device,
        "concurrency": concurrency,
        "heard_at": heard_at,
        **vars(implements),
    }
    row = insert(WorkerRow).values(name=name, **found)
    session.execute(
        row.on_conflict_do_update(index_elements=["name"], set_={**found, "seen_at": func.now()})
    )
    outbox.put(session, own(name), [NO_RUN])


def worker_gone(session: Session, name: str) -> None:
    """A worker has stopped in good order."""
    row = session.get(WorkerRow, name)
    if row is not None:
        session.delete(row)


def live_workers(session: Session) -> Sequence[WorkerRow]:
    """Workers heard of lately."""
    return session.scalars(select(WorkerRow).where(_live())).all()


def _live() -> ColumnElement[bool]:
    return WorkerRow.seen_at > _ago(WORKER_SILENT_AFTER)


def hearing(session: Session) -> int:
    """How many of them messages have reached lately. The others find work by looking."""
    heard = WorkerRow.heard_at > _ago(WORKER_SILENT_AFTER)
    return session.scalar(select(func.count()).where(_live(), heard)) or 0


def trainers_alive(session: Session, device: str, implements: Protocols = IMPLEMENTED) -> int:
    """Runs, or fleets, that workers heard of lately train side by side on this kind.

    Counted are those that measure what a worker measures that implements these protocols.
    """
    alike = (implements.training_protocol, implements.protocol)
    return sum(
        row.concurrency
        for row in live_workers(session)
        if row.device == device and (row.training_protocol, row.protocol) == alike
    )


def forget_silent_workers(session: Session) -> None:
    """Drop workers that have been silent for a day."""
    for row in session.scalars(
        select(WorkerRow).where(WorkerRow.seen_at < _ago(timedelta(days=1)))
    ):
        session.delete(row)


def _ago(delta: timedelta) -> ColumnElement[Any]:
    return func.clock_timestamp() - literal(delta, Interval())

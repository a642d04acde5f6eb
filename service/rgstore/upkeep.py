"""What keeps work from getting stuck: freeing expired leases, sending lost messages again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from rgcontract import IMPLEMENTED, Protocols, State
from rgstore.claimable import is_for_somebody
from rgstore.leases import end_attempt
from rgstore.messages import Sender
from rgstore.tables import RunRow, WorkerRow
from rgstore.transitions import move, refresh_experiment

UPKEEP_LOCK = 0x52474C41  # an arbitrary number, "RGLA": one worker at a time does the upkeep
RESEND_AFTER = timedelta(seconds=15)
WORKER_SILENT_AFTER = timedelta(seconds=30)


def try_upkeep_lock(session: Session) -> bool:
    """Whether this transaction is the one that does the upkeep now."""
    return bool(session.scalar(select(func.pg_try_advisory_xact_lock(UPKEEP_LOCK))))


def free_expired_lease(session: Session) -> int | None:
    """Take one run from a worker that has not been heard of; None if there is none.

    It goes back to the line while it has attempts left, to `cancelled` if that was asked for,
    and to `failed` otherwise.
    """
    expired = session.scalars(
        select(RunRow)
        .where(RunRow.state == State.RUNNING, RunRow.lease_until < func.clock_timestamp())
        .order_by(RunRow.lease_until)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if expired is None:
        return None
    error: str | None = f"worker {expired.lease_owner} was not heard of any more"
    number = expired.attempt
    if expired.cancel_requested:
        move(session, State.RUNNING, State.CANCELLED, RunRow.id == expired.id)
    elif number < expired.attempt_limit:
        alone = {"error": error, "shape": None}  # it may be what its worker died of
        move(session, State.RUNNING, State.QUEUED, RunRow.id == expired.id, **alone)
    else:
        final = f"{error} (attempt {number} of {expired.attempt_limit})"
        move(session, State.RUNNING, State.FAILED, RunRow.id == expired.id, error=final)
    end_attempt(session, expired.id, number, "lost", error)
    refresh_experiment(session, expired.experiment_id)
    return expired.id


def runs_to_send(session: Session, *, in_broker: Mapping[str, int]) -> list[int]:
    """Queued runs whose message seems lost.

    A message only says that there is work, whoever takes it takes the first run in line; so no
    more are sent than the line is longer than the broker's queue, for each kind of device, and
    none for what no worker that is alive can measure.

    Args:
        session: to read in.
        in_broker: kind of device -> messages that the broker holds.
    """
    rows = session.execute(
        select(RunRow.device, func.count())
        .where(RunRow.state == State.QUEUED, is_for_somebody(_live()))
        .group_by(RunRow.device)
    )
    lost: list[int] = []
    for device, queued in rows:
        missing = queued - in_broker.get(device, 0)
        if missing > 0:
            lost += _unannounced(session, device, missing)
    return lost


def _unannounced(session: Session, device: str, most: int) -> Sequence[int]:
    return session.scalars(
        select(RunRow.id)
        .where(
            RunRow.state == State.QUEUED,
            RunRow.device == device,
            is_for_somebody(_live()),
            or_(RunRow.sent_at.is_(None), RunRow.sent_at < _ago(RESEND_AFTER)),
            RunRow.queued_at < _ago(timedelta(seconds=1)),  # its own message may be on the way
        )
        .order_by(RunRow.priority.desc(), RunRow.queued_at, RunRow.id)
        .limit(most)
    ).all()


def send(session: Session, sender: Sender, run_ids: Sequence[int]) -> list[int]:
    """Send a message for each run to the queue of its kind of device, and remember that.

    Returns:
        The runs it was sent for.
    """
    rows = session.execute(
        select(RunRow.device, RunRow.id).where(RunRow.id.in_(run_ids)).order_by(RunRow.id)
    )
    by_device: dict[str, list[int]] = {}
    for device, run_id in rows:
        by_device.setdefault(device, []).append(run_id)
    sent = [run_id for device, ids in by_device.items() for run_id in sender.send(ids, device)]
    if sent:
        mark_sent(session, sent)
    return sent


def mark_sent(session: Session, run_ids: Sequence[int]) -> None:
    """Remember that a message was sent for each of these runs.

    Not for those that someone moves just now: they are not, or no longer, in need of it.
    """
    free = select(RunRow.id).where(RunRow.id.in_(run_ids)).with_for_update(skip_locked=True)
    session.execute(
        update(RunRow)
        .where(RunRow.id.in_(free))
        .values(sent_at=func.now())
        .execution_options(synchronize_session=False)
    )


def worker_seen(
    session: Session,
    name: str,
    host: str,
    device: str,
    concurrency: int,
    implements: Protocols = IMPLEMENTED,
) -> None:
    """A worker says that it is alive, and where: a name may move to another host."""
    found = {"host": host, "device": device, "concurrency": concurrency, **vars(implements)}
    row = insert(WorkerRow).values(name=name, **found)
    session.execute(
        row.on_conflict_do_update(index_elements=["name"], set_={**found, "seen_at": func.now()})
    )


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
    return func.clock_timestamp() - text(f"interval '{delta.total_seconds()} s'")

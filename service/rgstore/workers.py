"""Workers that are there: heard of lately, and reached by messages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from rgcontract import IMPLEMENTED, Protocols
from rgstore import clock, outbox
from rgstore.messages import NO_RUN, own
from rgstore.tables import WorkerRow

WORKER_SILENT_AFTER = timedelta(seconds=30)


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
    heard_at = None if heard_before is None else clock.ago(heard_before)
    found = {
        "host": host,
        "device": device,
        "concurrency": concurrency,
        "heard_at": heard_at,
        **vars(implements),
    }
    row = insert(WorkerRow).values(name=name, **found)
    session.execute(
        row.on_conflict_do_update(index_elements=["name"], set_={**found, "seen_at": clock.now()})
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
    return WorkerRow.seen_at > clock.earlier(WORKER_SILENT_AFTER)


def hearing(session: Session) -> int:
    """How many of them messages have reached lately. The others find work by looking."""
    heard = WorkerRow.heard_at > clock.earlier(WORKER_SILENT_AFTER)
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
        select(WorkerRow).where(WorkerRow.seen_at < clock.ago(timedelta(days=1)))
    ):
        session.delete(row)

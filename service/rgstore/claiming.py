"""Runs given to workers: the first in line, and others of its shape.

A worker owns a run while its lease lasts. Only Postgres' clock counts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    func,
    select,
)
from sqlalchemy.orm import Session

from rgcontract import IMPLEMENTED, Protocols, State
from rgstore import clock
from rgstore.among import among
from rgstore.claimable import is_for
from rgstore.outbox import ANY
from rgstore.tables import AttemptRow, ExperimentRow, RunRow
from rgstore.transitions import lock_experiments, move, refresh_experiments


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
    kind: str = "cpu"
    """Kind of its device: it takes runs that are meant for it, or for any."""
    implements: Protocols = IMPLEMENTED
    """It takes runs of its own protocols, and whose spec it can read."""


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


def claim_fleet(
    session: Session,
    holder: Holder,
    *,
    lease_seconds: float,
    size_of: Callable[[dict[str, Any]], int],
    share: int,
) -> list[Claim]:
    """Take the first run in line and others of its shape and priority, whoever asked for them.

    A run without a shape goes alone.

    Args:
        session: its transaction makes the claim.
        holder: who claims.
        lease_seconds: how long the runs are held without a heartbeat.
        size_of: most runs of a spec that are trained together.
        share: trainers among whom the queued runs of the shape are shared out.

    Returns:
        In the order of the line; empty if the line is.
    """
    first = _first_in_line(session, holder)
    if first is None:
        return []
    # Its experiment now and those of the others without waiting: who waits for an experiment
    # while it holds runs of others may wait for someone who waits for those.
    (experiment,) = lock_experiments(session, [first.experiment_id])
    size = 1 if first.shape is None else size_of(experiment.spec)
    line = [first.id, *(_others(session, first, holder, size, share) if size > 1 else [])]
    taken = _taken(session, holder, line, timedelta(seconds=lease_seconds))
    return _claims(session, holder, sorted(taken, key=lambda run: line.index(run.id)))


def _first_in_line(session: Session, holder: Holder) -> RunRow | None:
    """The first queued run that the worker may take and nobody is taking, locked."""
    is_local = True  # to this transaction
    # the line is walked in order, through its index: until Postgres has counted one that grew at
    # once, it would rather collect all of it and sort
    session.execute(select(func.set_config("enable_sort", "off", is_local)))
    return session.scalars(
        select(RunRow)
        .where(RunRow.state == State.QUEUED, _is_for(holder))
        .order_by(RunRow.priority.desc(), RunRow.queued_at, RunRow.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()


def _taken(
    session: Session, holder: Holder, line: Collection[int], lease: timedelta
) -> Sequence[RunRow]:
    """These runs, moved to the worker, an attempt begun at each."""
    taken = move(
        session,
        State.QUEUED,
        State.RUNNING,
        among(RunRow.id, line),
        attempt=RunRow.attempt + 1,
        lease_owner=holder.owner,
        lease_until=clock.ahead(lease),
    )
    session.add_all(
        AttemptRow(
            run_id=run.id,
            number=run.attempt,
            worker=holder.worker,
            host=holder.host,
            device=holder.device,
            versions=holder.versions,
            **vars(holder.implements),
            calibration=holder.calibration,
            fleet=len(taken),
        )
        for run in taken
    )
    refresh_experiments(session, {run.experiment_id for run in taken})
    return taken


def _claims(session: Session, holder: Holder, taken: Sequence[RunRow]) -> list[Claim]:
    """What the worker is told of each."""
    names = {run.experiment_id for run in taken}
    rows = select(ExperimentRow.id, ExperimentRow.spec).where(among(ExperimentRow.id, names))
    specs: dict[str, dict[str, Any]] = dict(session.execute(rows).all())
    return [
        Claim(
            run_id=run.id,
            experiment_id=run.experiment_id,
            chain_seed=run.chain_seed,
            seed=run.seed,
            attempt=run.attempt,
            attempt_limit=run.attempt_limit,
            owner=holder.owner,
            spec=specs[run.experiment_id],
        )
        for run in taken
    ]


def in_line(session: Session, holder: Holder, *, most: int) -> int:
    """Runs that wait and that this worker may take, counted up to so many. Cheap."""
    some = select(RunRow.id).where(RunRow.state == State.QUEUED, _is_for(holder)).limit(most)
    return session.scalar(select(func.count()).select_from(some.subquery())) or 0


def _is_for(holder: Holder) -> ColumnElement[bool]:
    return and_(among(RunRow.device, (ANY, holder.kind)), is_for(holder.worker, holder.implements))


def _others(
    session: Session, first: RunRow, holder: Holder, size: int, share: int
) -> Sequence[int]:
    """Queued runs of the shape and priority of the first, locked, in the order of the line."""
    alike = and_(
        RunRow.state == State.QUEUED,
        RunRow.shape == first.shape,
        RunRow.priority == first.priority,
        _is_for(holder),
    )
    enough = select(RunRow.id).where(alike).limit(size * share).subquery()
    queued = session.scalar(select(func.count()).select_from(enough)) or 0
    size = min(size, -(-queued // share))
    return session.scalars(
        select(RunRow.id)
        .join(ExperimentRow, ExperimentRow.id == RunRow.experiment_id)
        .where(alike, RunRow.id != first.id)
        .order_by(RunRow.queued_at, RunRow.id)
        .limit(size - 1)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()

"""Runs given to workers: the first of whose turn it is, and others of its shape.

A worker owns a run while its lease lasts. Only Postgres' clock counts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select, true
from sqlalchemy.orm import Session

from rgcontract import IMPLEMENTED, Protocols, State
from rgstore import clock
from rgstore.among import among
from rgstore.claimable import is_for
from rgstore.line import Line, first_lines, take_turn, whose_turn
from rgstore.outbox import ANY
from rgstore.recordset import recordset
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
    """Take the first run of whose turn it is, and others of its shape and priority.

    Theirs come first among these, then those of the others in the order of their turns. A run
    without a shape goes alone.

    Args:
        session: its transaction makes the claim.
        holder: who claims.
        lease_seconds: how long the runs are held without a heartbeat.
        size_of: most runs of a spec that are trained together.
        share: trainers among whom the queued runs of the shape are shared out.

    Returns:
        In the order in which they were chosen; empty if nothing waits.
    """
    first, lines = _first(session, holder)
    if first is None:
        return []
    # Its experiment now and those of the others without waiting: who waits for an experiment
    # while it holds runs of others may wait for someone who waits for those.
    (experiment,) = lock_experiments(session, [first.experiment_id])
    size = 1 if first.shape is None else size_of(experiment.spec)
    others = _others(session, first, lines, holder, size, share) if size > 1 else []
    chosen = [first.id, *others]
    taken = _taken(session, holder, chosen, timedelta(seconds=lease_seconds))
    return _claims(session, holder, sorted(taken, key=lambda run: chosen.index(run.id)))


def _first(session: Session, holder: Holder) -> tuple[RunRow | None, list[Line]]:
    """The first queued run that the worker may take and nobody is taking, locked.

    With it the lines of its priority: those of whose turn it takes first, then all others.
    """
    is_local = True  # to this transaction
    # lines are walked in order, through their index: until Postgres has counted one that grew at
    # once, it would rather collect all of it and sort
    session.execute(select(func.set_config("enable_sort", "off", is_local)))
    row, below = RunRow, None
    while True:
        read = partial(first_lines, session, _is_for(holder), below=below)
        lines = whose_turn(read, partial(take_turn, session))
        if not lines:
            return None, []
        for line in lines:
            of_line = select(row).where(line.runs, _is_for(holder))
            locked = of_line.limit(1).with_for_update(skip_locked=True)
            first = session.scalars(locked.order_by(row.queued_at, row.id)).first()
            if first is not None:
                return first, sorted(lines, key=lambda one: one.payer != line.payer)
        below = lines[0].priority  # others are taking all of these


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
    session: Session, first: RunRow, lines: Sequence[Line], holder: Holder, size: int, share: int
) -> Sequence[int]:
    """Queued runs of the shape and priority of the first, locked, from one line after another."""
    row = RunRow
    alike = and_(
        row.state == State.QUEUED,
        row.shape == first.shape,
        row.priority == first.priority,
        _is_for(holder),
    )
    enough = select(row.id).where(alike).limit(size * share).subquery()
    queued = session.scalar(select(func.count()).select_from(enough)) or 0
    size = min(size, -(-queued // share))
    names = [{"wanted_by": line.wanted_by, "device": line.device} for line in lines]
    asked = recordset(names, row.wanted_by, row.device)
    of_line = (
        select(row.id)
        .join(ExperimentRow, ExperimentRow.id == row.experiment_id)
        .where(alike, row.id != first.id)
        .where(row.wanted_by == asked.c.wanted_by, row.device == asked.c.device)
        .order_by(row.queued_at, row.id)
        .limit(size - 1)
        .with_for_update(skip_locked=True, key_share=True)
        .lateral()
    )
    # nothing is sorted here: no more are locked than are taken
    return session.scalars(
        select(of_line.c.id).select_from(asked).join(of_line, true()).limit(size - 1)
    ).all()

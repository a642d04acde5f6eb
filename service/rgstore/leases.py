"""Runs as workers hold them: claim, heartbeat, finish, fail, give back.

A worker owns a run while its lease lasts. Every write carries the attempt and the lease owner; if
no row is touched the run has gone to someone else and `LeaseLostError` tells the worker to stop.
Only Postgres' clock counts. Runs are claimed by the fleet and end one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    Integer,
    TableValuedAlias,
    Text,
    all_,
    and_,
    column,
    func,
    literal,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from rgcontract import IMPLEMENTED, Protocols, State
from rgstore.among import among
from rgstore.claimable import is_for
from rgstore.outbox import ANY
from rgstore.plain import Floats
from rgstore.tables import AttemptRow, ExperimentRow, RunRow
from rgstore.transitions import lock_experiments, move, refresh_experiment, refresh_experiments

UNREADABLE = "unreadable"
"""Outcome of an attempt that was handed back."""


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


@dataclass(frozen=True)
class TrainingProgress:
    """What a heartbeat stores."""

    phase: str
    fraction: float
    step: int
    loss: float | None


@dataclass(frozen=True)
class Heard:
    """What a heartbeat brings back."""

    cancelled: frozenset[int]
    """Runs that someone asked to cancel."""
    lost: frozenset[int]
    """Runs that are no longer this worker's."""


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
    is_local = True  # to this transaction
    # the line is walked in order, through its index: until Postgres has counted one that grew at
    # once, it would rather collect all of it and sort
    session.execute(select(func.set_config("enable_sort", "off", is_local)))
    first = session.scalars(
        select(RunRow)
        .where(RunRow.state == State.QUEUED, _is_for(holder))
        .order_by(RunRow.priority.desc(), RunRow.queued_at, RunRow.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if first is None:
        return []
    # Its experiment now and those of the others without waiting: who waits for an experiment
    # while it holds runs of others may wait for someone who waits for those.
    (experiment,) = lock_experiments(session, [first.experiment_id])
    size = 1 if first.shape is None else size_of(experiment.spec)
    line = [first.id, *(_others(session, first, holder, size, share) if size > 1 else [])]
    taken = move(
        session,
        State.QUEUED,
        State.RUNNING,
        among(RunRow.id, line),
        attempt=RunRow.attempt + 1,
        lease_owner=holder.owner,
        lease_until=_lease_end(lease_seconds),
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
    names = {run.experiment_id for run in taken}
    refresh_experiments(session, names)
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
        for run in sorted(taken, key=lambda run: line.index(run.id))
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


def heartbeat(
    session: Session, beats: Sequence[tuple[Claim, TrainingProgress]], *, lease_seconds: float
) -> Heard:
    """Extend the leases of a worker's runs and store how far they are.

    A run that someone else is writing is left for the next heartbeat.
    """
    progress = {claim.run_id: of_run for claim, of_run in beats}
    fences = _fences([claim for claim, _ in beats])
    ours = and_(
        RunRow.state == State.RUNNING,
        tuple_(RunRow.id, RunRow.attempt, RunRow.lease_owner).in_(
            select(fences.c.id, fences.c.attempt, fences.c.owner)
        ),
    )
    held = dict(
        session.execute(
            select(RunRow.id, RunRow.cancel_requested)
            .where(ours)
            .order_by(RunRow.id)
            .with_for_update(skip_locked=True, key_share=True)
        ).all()
    )
    _store_progress(session, {run_id: progress[run_id] for run_id in held}, lease_seconds)
    lost = progress.keys() - held.keys()
    if lost:
        lost -= set(session.scalars(select(RunRow.id).where(ours)))
    cancelled = frozenset(run_id for run_id, asked in held.items() if asked)
    return Heard(cancelled, frozenset(lost))


def _fences(claims: Sequence[Claim]) -> TableValuedAlias:
    """Run, attempt and owner of each, as a table."""
    return (
        func.unnest(
            literal([claim.run_id for claim in claims], ARRAY(BigInteger())),
            literal([claim.attempt for claim in claims], ARRAY(Integer())),
            literal([claim.owner for claim in claims], ARRAY(Text())),
        )
        .table_valued(
            column("id", BigInteger()),
            column("attempt", Integer()),
            column("owner", Text()),
            name="fences",
        )
        .render_derived()
    )


def _store_progress(
    session: Session, progress: Mapping[int, TrainingProgress], lease_seconds: float
) -> None:
    """Of runs that this transaction has locked."""
    of = progress.values()
    beats = (
        func.unnest(
            literal(list(progress), ARRAY(BigInteger())),
            literal([one.phase for one in of], ARRAY(Text())),
            literal([one.fraction for one in of], Floats()),
            literal([one.step for one in of], ARRAY(Integer())),
            literal([one.loss for one in of], Floats()),
        )
        .table_valued(
            column("id", BigInteger()),
            column("phase", Text()),
            column("fraction", Double()),
            column("step", Integer()),
            column("loss", Double()),
            name="beats",
        )
        .render_derived()
    )
    session.execute(
        update(RunRow)
        .where(RunRow.id == beats.c.id)
        .values(
            lease_until=_lease_end(lease_seconds),
            phase=beats.c.phase,
            fraction=beats.c.fraction,
            step=beats.c.step,
            loss=beats.c.loss,
        )
        .execution_options(synchronize_session=False)
    )


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


def hand_back(session: Session, claim: Claim, *, worker: str, error: str) -> State:
    """The worker cannot read what is asked for, or measures it otherwise: another may take it.

    This one takes no run of the experiment again. The run keeps its place in the line, and the
    attempt does not count. Cancelled if someone asked for that.
    """
    if _cancel_is_asked(session, claim):
        _leave(session, claim, State.CANCELLED, UNREADABLE, error, phase=None)
        return State.CANCELLED
    _leave(
        session, claim, State.QUEUED, UNREADABLE, error,
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
    session: Session, claim: Claim, *, outcome: str, error: str, traceback: str | None = None
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

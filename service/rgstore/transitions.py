"""The states of a run and the moves between them. Every move in the system is made here."""

from __future__ import annotations

from collections.abc import Collection, Sequence, Set
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from rgcontract import State
from rgcontract.unknown import as_told
from rgstore import clock, outbox
from rgstore.among import among
from rgstore.tables import ExperimentRow, RunRow

MOVES: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.RUNNING, State.CANCELLED}),
    State.RUNNING: frozenset({State.DONE, State.FAILED, State.CANCELLED, State.QUEUED}),
    State.DONE: frozenset(),
    State.FAILED: frozenset({State.QUEUED}),
    State.CANCELLED: frozenset({State.QUEUED}),
}
"""From each state, where a run may go."""


PRECEDENCE = (State.RUNNING, State.QUEUED, State.FAILED, State.CANCELLED)
"""Runs that are looked at together are in the first of these that any is in; else `done`."""
NEW = State.QUEUED
"""Of runs that are put in line, and of their experiment."""


class IllegalMoveError(RuntimeError):
    """A move between states that does not exist."""

    def __init__(self, source: State, target: State) -> None:
        """Say which move was asked for and which there are."""
        allowed = ", ".join(sorted(MOVES[source])) or "nowhere"
        super().__init__(
            f"a run cannot go from {source} to {target}; from {source} it goes: {allowed}"
        )
        self.source, self.target = source, target


def move(
    session: Session, source: State, target: State, *where: ColumnElement[bool], **values: Any
) -> list[RunRow]:
    """Move the runs that match `where` and are in `source`; return those moved.

    The columns that belong to the target state (lease, progress, time in line) are set with it;
    `values` adds to them. A run that is no longer in `source` is left alone and not returned.

    Raises:
        IllegalMoveError: there is no such move.
    """
    if target not in MOVES[source]:
        raise IllegalMoveError(source, target)
    columns: dict[str, Any] = {"state": target, **_columns_of(target), **values}
    # locked in one order, so that two that move the same runs never wait for each other; and by
    # itself: until Postgres has counted a line that grew at once, it plans both as a walk in a walk
    first = select(RunRow.id).where(RunRow.state == source, *where).order_by(RunRow.id)
    locked = session.scalars(first.with_for_update()).all()
    if not locked:
        return []
    statement = (
        update(RunRow)
        .where(among(RunRow.id, locked))
        .values(columns)
        .returning(RunRow)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    moved = list(session.scalars(statement))
    if target is State.QUEUED:
        for run in moved:
            outbox.put(session, run.device, [run.id])
    return moved


def _columns_of(target: State) -> dict[str, Any]:
    if target is State.RUNNING:
        return {"error": None, "cancel_requested": False}
    released = {"lease_owner": None, "lease_until": None}
    if target is State.QUEUED:
        fresh = {"phase": None, "fraction": 0.0, "step": 0, "loss": None}
        return {**released, **fresh, "queued_at": clock.now(), "cancel_requested": False}
    return released


def lock_runs(session: Session, *where: ColumnElement[bool]) -> Sequence[RunRow]:
    """Keep others from changing these runs until the transaction ends; as they then are."""
    return session.scalars(
        select(RunRow)
        .where(*where)
        .order_by(RunRow.id)  # as `move` does
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()


def lock_experiments(session: Session, names: Collection[str]) -> Sequence[ExperimentRow]:
    """Keep others from changing these experiments until the transaction ends.

    Runs are locked before the experiment everywhere, and experiments in one order, so that two
    transactions never wait for each other.
    """
    return session.scalars(
        select(ExperimentRow)
        .where(among(ExperimentRow.id, names))
        .order_by(ExperimentRow.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()


def refresh_experiment(session: Session, experiment_id: str) -> State:
    """Bring the state of an experiment up to date with its runs."""
    (experiment,) = refresh_experiments(session, [experiment_id])
    return as_told(State, experiment.state)


def refresh_experiments(session: Session, names: Collection[str]) -> Sequence[ExperimentRow]:
    """Bring the states of experiments up to date with their runs. Returns them, locked.

    The runs are read after the experiments are locked, so that the last writer sees all of them.
    """
    if not names:
        return []
    experiments = lock_experiments(session, names)
    of_runs: dict[str, set[str]] = {}
    rows = session.execute(
        select(RunRow.experiment_id, RunRow.state)
        .where(among(RunRow.experiment_id, names))
        .distinct()
    )
    for name, run_state in rows:
        of_runs.setdefault(name, set()).add(run_state)
    # what only another release can tell is left as that one wrote it
    readable = [row for row in experiments if of_runs.get(row.id, set()) <= {*State}]
    states = {row.id: combined(of_runs.get(row.id, set())) for row in readable}
    for state in sorted(set(states.values())):
        done = {"completed_at": func.coalesce(ExperimentRow.completed_at, clock.now())}
        session.execute(
            update(ExperimentRow)
            .where(among(ExperimentRow.id, [name for name in states if states[name] is state]))
            .values(state=state, updated_at=clock.now(), **(done if state is State.DONE else {}))
            .execution_options(synchronize_session=False)
        )
    for row in readable:
        set_committed_value(row, "state", states[row.id])
        session.expire(row, ["updated_at", "completed_at"])
    return experiments


def combined(states: Set[str]) -> State:
    """The state of runs that are looked at together and are in these states.

    One that only another release knows goes before all others: it may be any of them.
    """
    unknown = states - {*State}
    if unknown:
        return as_told(State, min(unknown))
    for state in PRECEDENCE:
        if state in states:
            return state
    return State.DONE

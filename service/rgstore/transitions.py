"""The states of a run and the moves between them. Every move in the system is made here."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from rgcontract import State
from rgstore.tables import ExperimentRow, RunRow

MOVES: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.RUNNING, State.CANCELLED}),
    State.RUNNING: frozenset({State.DONE, State.FAILED, State.CANCELLED, State.QUEUED}),
    State.DONE: frozenset(),
    State.FAILED: frozenset({State.QUEUED}),
    State.CANCELLED: frozenset({State.QUEUED}),
}
"""From each state, where a run may go."""


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
    # locked in one order, so that two that move the same runs never wait for each other
    first = select(RunRow.id).where(RunRow.state == source, *where).order_by(RunRow.id)
    statement = (
        update(RunRow)
        .where(RunRow.state == source, RunRow.id.in_(first.with_for_update()))
        .values(columns)
        .returning(RunRow)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return list(session.scalars(statement))


def _columns_of(target: State) -> dict[str, Any]:
    if target is State.RUNNING:
        return {"error": None, "cancel_requested": False}
    released = {"lease_owner": None, "lease_until": None}
    if target is State.QUEUED:
        fresh = {"phase": None, "fraction": 0.0, "step": 0, "loss": None, "sent_at": None}
        return {**released, **fresh, "queued_at": func.now(), "cancel_requested": False}
    return released


def refresh_experiment(session: Session, experiment_id: str) -> State:
    """Bring the state of an experiment up to date with its runs.

    Locks run before the experiment everywhere, so that two transactions never wait for each
    other; the runs are read after the lock is held, so that the last writer sees all of them.
    """
    experiment = session.scalars(
        select(ExperimentRow)
        .where(ExperimentRow.id == experiment_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()
    states = set(
        session.scalars(
            select(RunRow.state).where(RunRow.experiment_id == experiment_id).distinct()
        )
    )
    state = combined(states)
    experiment.state = state
    experiment.updated_at = func.now()
    if state is State.DONE and experiment.completed_at is None:
        experiment.completed_at = func.now()
    session.flush()
    return state


def combined(states: set[str]) -> State:
    """The state of an experiment whose runs are in these states."""
    for state in (State.RUNNING, State.QUEUED, State.FAILED, State.CANCELLED):
        if state in states:
            return state
    return State.DONE

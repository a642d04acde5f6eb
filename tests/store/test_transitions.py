"""Every move between states, one by one: those that exist and those that are refused."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, update

from rgcontract import State
from rgstore.database import Database
from rgstore.tables import RunRow
from rgstore.transitions import MOVES, IllegalMoveError, combined, move

pytestmark = pytest.mark.by_hand("runs are placed in states")

ALL = [(source, target) for source in State for target in State]
LEGAL = [
    ("queued", "running"), ("queued", "cancelled"),
    ("running", "done"), ("running", "failed"), ("running", "cancelled"), ("running", "queued"),
    ("failed", "queued"), ("cancelled", "queued"),
]  # fmt: skip


def _place(database: Any, run_id: int, state: State) -> None:
    lease: dict[str, Any] = {"lease_owner": None, "lease_until": None}
    if state is State.RUNNING:
        lease = {"lease_owner": "w", "lease_until": func.now()}
    with database.begin() as session:
        session.execute(update(RunRow).where(RunRow.id == run_id).values(state=state, **lease))


def _lease(target: State) -> dict[str, Any]:
    return {"lease_owner": "w", "lease_until": func.now()} if target is State.RUNNING else {}


def test_the_table_of_moves_is_the_one_that_is_documented() -> None:
    assert sorted(LEGAL) == sorted((str(s), str(t)) for s in MOVES for t in MOVES[s])


@pytest.mark.parametrize(("source", "target"), LEGAL)
def test_a_move_that_exists_is_made(database: Database, put: Any, source: Any, target: Any) -> None:
    run_id = put().run_ids[0]
    _place(database, run_id, State(source))
    with database.begin() as session:
        moved = move(
            session, State(source), State(target), RunRow.id == run_id, **_lease(State(target))
        )
        assert [run.state for run in moved] == [target]


@pytest.mark.parametrize(
    ("source", "target"), [pair for pair in ALL if (str(pair[0]), str(pair[1])) not in LEGAL]
)
def test_a_move_that_does_not_exist_is_refused(
    database: Database, put: Any, source: Any, target: Any
) -> None:
    run_id = put().run_ids[0]
    _place(database, run_id, source)
    with database.begin() as session, pytest.raises(IllegalMoveError, match=str(target)):
        move(session, source, target, RunRow.id == run_id)


def test_a_run_that_has_left_the_source_state_is_not_moved(database: Database, put: Any) -> None:
    run_id = put().run_ids[0]
    _place(database, run_id, State.DONE)
    with database.begin() as session:
        assert move(session, State.QUEUED, State.CANCELLED, RunRow.id == run_id) == []


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        ({"done"}, "done"),
        ({"done", "running"}, "running"),
        ({"queued", "running"}, "running"),
        ({"done", "queued", "failed"}, "queued"),
        ({"done", "failed", "cancelled"}, "failed"),
        ({"done", "cancelled"}, "cancelled"),
    ],
)
def test_the_state_of_an_experiment_follows_from_its_runs(states: Any, whole: str) -> None:
    assert combined(states) == whole

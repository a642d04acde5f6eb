"""Claims, heartbeats and outcomes: one holder at a time, and every write fenced."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from cancelling import nobody_wants
from set_clock import NOON, SetClock
from sqlalchemy import func, select

from rgcontract import Outcome, State
from rgstore import claiming, endings, experiments, heartbeats, upkeep, wishes
from rgstore.database import Database
from rgstore.endings import LeaseLostError
from rgstore.heartbeats import TrainingProgress
from rgstore.line import place_in_line
from rgstore.runs import attempts_of
from rgstore.tables import ExperimentRow, RunRow

HALF = TrainingProgress("training", 0.5, 10, 1.25)


def _run(database: Any, run_id: int) -> RunRow:
    with database.begin() as session:
        found: RunRow = session.get_one(RunRow, run_id)
        return found


def _attempts(database: Any, run_id: int) -> list[tuple[int, str | None]]:
    with database.begin() as session:
        return [(row.number, row.outcome) for row in attempts_of(session, [run_id])]


@pytest.fixture
def clock(database: Database) -> SetClock:
    """It stands at noon, and leases last for 30 seconds."""
    made = SetClock(database)
    made.at(NOON)
    return made


def _beat(database: Any, *claims: claiming.Claim) -> heartbeats.Heard:
    with database.begin() as session:
        return heartbeats.heartbeat(session, [(claim, HALF) for claim in claims], lease_seconds=10)


def _reap(database: Any) -> list[int]:
    with database.begin() as session:
        return upkeep.free_expired_leases(session)


def test_an_empty_line_gives_no_claim(take: Any) -> None:
    assert take() is None


def test_runs_are_taken_in_order_of_priority_then_age(put: Any, take: Any) -> None:
    old = put(chain={"corr_len": 2.0}).run_ids[0]
    new = put(chain={"corr_len": 3.0}).run_ids[0]
    urgent = put(chain={"corr_len": 4.0}, priority=5).run_ids[0]
    assert [take().run_id for _ in range(3)] == [urgent, old, new]


def test_claims_at_the_same_moment_never_share_a_run(put: Any, take: Any) -> None:
    put(seeds=12)
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda index: take(f"w{index}"), range(16)))
    taken = [claim.run_id for claim in claims if claim is not None]
    assert len(taken) == len(set(taken)) == 12


def test_a_claim_opens_an_attempt_and_runs_the_experiment(
    database: Database, put: Any, take: Any
) -> None:
    name = put().experiment_id
    claim = take()
    assert claim.attempt == 1
    assert _attempts(database, claim.run_id) == [(1, None)]
    with database.begin() as session:
        assert session.get_one(ExperimentRow, name).state == State.RUNNING


def test_a_heartbeat_extends_the_lease_and_stores_progress(
    database: Database, put: Any, take: Any, clock: SetClock
) -> None:
    put()
    claim = take(lease=1)
    clock.forward(seconds=0.5)
    with database.begin() as session:
        heard = heartbeats.heartbeat(session, [(claim, HALF)], lease_seconds=100)
    assert heard == heartbeats.Heard(cancelled=frozenset(), lost=frozenset())
    run = _run(database, claim.run_id)
    assert run.lease_until == NOON + timedelta(seconds=100.5)
    assert (run.phase, run.fraction, run.step, run.loss) == ("training", 0.5, 10, 1.25)


def test_an_expired_lease_goes_back_to_the_line_and_to_another_worker(
    database: Database, put: Any, take: Any, clock: SetClock
) -> None:
    put()
    first = take("w1")
    clock.forward(seconds=31)
    assert _reap(database) == [first.run_id]
    second = take("w2")
    assert (second.run_id, second.attempt) == (first.run_id, 2)
    assert _attempts(database, first.run_id) == [(1, "lost"), (2, None)]


def test_a_lease_that_lasts_is_left_alone(
    database: Database, put: Any, take: Any, clock: SetClock
) -> None:
    put()
    claim = take(lease=30)
    assert _run(database, claim.run_id).lease_until == NOON + timedelta(seconds=30)
    clock.forward(seconds=30)
    assert _reap(database) == []
    clock.forward(microseconds=1)
    assert _reap(database) == [claim.run_id]


@pytest.mark.parametrize(
    "write",
    [
        lambda s, c: endings.finish(s, c, trained=True),
        endings.let_go,
        lambda s, c: endings.fail(s, c, outcome=Outcome.FAILED, error="x"),
        lambda s, c: endings.retry_or_fail(s, c, outcome=Outcome.CRASHED, error="x"),
    ],
)
def test_no_write_of_a_lost_lease_goes_through(
    database: Database, put: Any, take: Any, clock: SetClock, write: Any
) -> None:
    put()
    lost = take("w1")
    clock.forward(seconds=31)
    _reap(database)
    take("w2")
    with pytest.raises(LeaseLostError), database.begin() as session:
        write(session, lost)
    run = _run(database, lost.run_id)
    assert (run.state, run.lease_owner, run.attempt) == ("running", "w2/1", 2)


def test_a_run_that_is_lost_at_its_last_attempt_is_failed_with_the_cause(
    database: Database, put: Any, take: Any, clock: SetClock
) -> None:
    put(attempt_limit=1)
    claim = take()
    clock.forward(seconds=31)
    _reap(database)
    run = _run(database, claim.run_id)
    assert run.state == State.FAILED
    assert run.error is not None
    assert "was not heard of any more (attempt 1 of 1)" in run.error


def test_a_lost_run_that_was_to_be_cancelled_is_cancelled(
    database: Database, put: Any, take: Any, clock: SetClock
) -> None:
    name = put().experiment_id
    claim = take()
    with database.begin() as session:
        nobody_wants(session, name)
    clock.forward(seconds=31)
    _reap(database)
    assert _run(database, claim.run_id).state == State.CANCELLED


def test_the_holder_hears_that_its_run_is_to_be_cancelled(
    database: Database, put: Any, take: Any
) -> None:
    name = put().experiment_id
    claim = take()
    with database.begin() as session:
        nobody_wants(session, name)
    assert _beat(database, claim).cancelled == {claim.run_id}


def test_cancelling_queued_runs_needs_no_worker(database: Database, put: Any) -> None:
    stored = put(seeds=2)
    with database.begin() as session:
        nobody_wants(session, stored.experiment_id)
        row = experiments.get(session, stored.experiment_id)
        assert row is not None
        assert row.state == State.CANCELLED


def test_a_fault_is_tried_again_until_attempts_run_out(
    database: Database, put: Any, take: Any
) -> None:
    put(attempt_limit=2)
    states = []
    for _ in range(2):
        claim = take()
        with database.begin() as session:
            states.append(
                endings.retry_or_fail(session, claim, outcome=Outcome.CRASHED, error="boom")
            )
    assert states == [State.QUEUED, State.FAILED]
    assert _attempts(database, claim.run_id) == [(1, "crashed"), (2, "crashed")]
    assert _run(database, claim.run_id).error == "boom (attempt 2 of 2)"


def _ask_to_cancel(database: Any, name: str) -> None:
    with database.begin() as session:
        nobody_wants(session, name)


def test_a_run_that_crashes_while_it_is_to_be_cancelled_is_cancelled(
    database: Database, put: Any, take: Any
) -> None:
    name = put().experiment_id
    claim = take()
    _ask_to_cancel(database, name)
    with database.begin() as session:
        state = endings.retry_or_fail(session, claim, outcome=Outcome.CRASHED, error="boom")
    assert state is State.CANCELLED
    assert _attempts(database, claim.run_id) == [(1, "crashed")]


def test_a_run_that_is_let_go_while_it_is_to_be_cancelled_is_cancelled(
    database: Database, put: Any, take: Any
) -> None:
    name = put().experiment_id
    claim = take()
    _ask_to_cancel(database, name)
    with database.begin() as session:
        assert endings.let_go(session, claim) is State.CANCELLED
    assert _attempts(database, claim.run_id) == [(1, "cancelled")]


def test_a_run_that_is_wanted_again_before_it_stops_goes_on(
    database: Database, put: Any, take: Any
) -> None:
    name = put().experiment_id
    claim = take()
    _ask_to_cancel(database, name)
    assert put().run_ids == []
    assert _beat(database, claim).cancelled == set()


def test_a_run_that_is_wanted_again_once_it_has_stopped_goes_back_to_the_line(
    database: Database, put: Any, take: Any
) -> None:
    name = put().experiment_id
    claim = take()
    _ask_to_cancel(database, name)
    assert _beat(database, claim).cancelled == {claim.run_id}
    put()
    with database.begin() as session:
        assert endings.let_go(session, claim) is State.QUEUED


def test_letting_a_run_go_costs_no_attempt(database: Database, put: Any, take: Any) -> None:
    put(attempt_limit=1)
    with database.begin() as session:
        endings.let_go(session, take())
    again = take()
    assert (again.attempt, again.attempt_limit) == (2, 2)


def test_retrying_a_failed_run_gives_fresh_attempts(
    database: Database, put: Any, take: Any
) -> None:
    name = put(attempt_limit=1).experiment_id
    with database.begin() as session:
        endings.fail(session, take(), outcome=Outcome.FAILED, error="x")
    with database.begin() as session:
        of_name = RunRow.experiment_id == name
        assert wishes.want_again(session, [of_name], "alice", attempt_limit=3)
    again = take()
    assert (again.attempt, again.attempt_limit) == (2, 4)


def test_a_line_moves_up_by_one_place_for_each_run_before(database: Database, put: Any) -> None:
    put(seeds=3)
    last = put(chain={"corr_len": 9.0}).run_ids[0]
    with database.begin() as session:
        assert place_in_line(session, [session.get_one(RunRow, last)])[1] == 3
        assert session.scalar(select(func.count()).select_from(RunRow)) == 4

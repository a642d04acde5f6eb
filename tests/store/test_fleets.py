"""Claims of several runs at once: who goes together, who goes alone, one heartbeat for all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from cancelling import nobody_wants
from set_clock import SetClock
from sqlalchemy import select, update

from rgcontract import Outcome, State
from rgstore import endings, heartbeats, upkeep
from rgstore.database import Database
from rgstore.heartbeats import TrainingProgress
from rgstore.tables import AttemptRow, ExperimentRow, RunRow

HALF = TrainingProgress("training", 0.5, 10, 1.25)
SHORT, LONG = {"corr_len": 1.0}, {"corr_len": 7.0}
OTHER = {"depth": 3}
"""Another shape than the default."""


def _ids(claims: Any) -> list[int]:
    return [claim.run_id for claim in claims]


def _runs(database: Any) -> list[RunRow]:
    with database.begin() as session:
        return list(session.scalars(select(RunRow).order_by(RunRow.id)))


def _beat(database: Any, claims: Any, progress: Any = HALF) -> heartbeats.Heard:
    with database.begin() as session:
        return heartbeats.heartbeat(
            session, [(claim, progress) for claim in claims], lease_seconds=99
        )


def test_runs_of_one_shape_go_together_across_experiments_and_users(
    put: Any, take_fleet: Any
) -> None:
    first = put(seeds=2, chain=SHORT, owner="alice")
    put(seeds=1, model=OTHER)
    second = put(seeds=2, chain=LONG, training={"lr": 0.01}, owner="bob")
    claims = take_fleet()
    assert _ids(claims) == [*first.run_ids, *second.run_ids]
    assert {claim.spec["chain"]["corr_len"] for claim in claims} == {1.0, 7.0}


def test_each_run_of_a_fleet_has_its_own_attempt(
    database: Database, put: Any, take_fleet: Any
) -> None:
    put(seeds=3)
    claims = take_fleet()
    with database.begin() as session:
        rows = session.scalars(select(AttemptRow).order_by(AttemptRow.run_id)).all()
    assert [(row.run_id, row.number, row.fleet) for row in rows] == [
        (run_id, 1, 3) for run_id in _ids(claims)
    ]


def test_every_experiment_of_a_fleet_is_running(
    database: Database, put: Any, take_fleet: Any
) -> None:
    put(chain=SHORT)
    put(chain=LONG)
    take_fleet()
    with database.begin() as session:
        assert set(session.scalars(select(ExperimentRow.state))) == {State.RUNNING}


def test_the_first_in_line_decides_the_shape(put: Any, take_fleet: Any) -> None:
    first = put(model=OTHER).run_ids
    rest = put(seeds=5).run_ids
    assert [_ids(take_fleet()), _ids(take_fleet())] == [first, rest]


def test_a_fleet_has_no_more_members_than_it_may(put: Any, take_fleet: Any) -> None:
    run_ids = put(seeds=5).run_ids
    assert [_ids(take_fleet(3)), _ids(take_fleet(3))] == [run_ids[:3], run_ids[3:]]


def test_runs_of_another_priority_stay_in_line(put: Any, take_fleet: Any) -> None:
    later = put(seeds=2, chain=SHORT).run_ids
    urgent = put(seeds=2, chain=LONG, priority=3).run_ids
    assert [_ids(take_fleet()), _ids(take_fleet())] == [urgent, later]


@pytest.mark.parametrize(("queued", "share", "taken"), [(8, 2, 4), (7, 2, 4), (1, 4, 1), (8, 1, 8)])
def test_a_fleet_leaves_the_other_trainers_their_share(
    put: Any, take_fleet: Any, queued: int, share: int, taken: int
) -> None:
    put(seeds=queued)
    assert len(take_fleet(share=share)) == taken


def test_claims_of_fleets_at_the_same_moment_never_share_a_run(
    database: Database, put: Any, take_fleet: Any
) -> None:
    for corr_len in range(1, 7):
        put(seeds=4, chain={"corr_len": float(corr_len)})
    with ThreadPoolExecutor(8) as pool:
        fleets = list(pool.map(lambda n: take_fleet(3, worker=f"w{n}"), range(24)))
    taken = [run_id for fleet in fleets for run_id in _ids(fleet)]
    assert len(taken) == len(set(taken))
    while fleet := take_fleet():  # what a claim passed over, because another was at it
        taken += _ids(fleet)
    assert len(taken) == len(set(taken)) == 24


def test_a_claim_does_not_wait_for_an_experiment_that_another_is_writing(
    database: Database, put: Any, take_fleet: Any
) -> None:
    (first,) = put(chain=SHORT).run_ids
    name = put(seeds=3, chain=LONG).experiment_id
    with database.begin() as other:
        other.get_one(ExperimentRow, name, with_for_update=True)
        assert _ids(take_fleet()) == [first]  # would wait for ever: both are this thread


@pytest.mark.parametrize("outcome", ["crashed", "lost"])
def test_a_run_whose_worker_or_trainer_ended_goes_alone(
    database: Database, put: Any, take_fleet: Any, outcome: str
) -> None:
    clock = SetClock(database)
    clock.at()
    run_ids = put(seeds=3).run_ids
    claims = take_fleet()
    if outcome == "lost":
        clock.forward(seconds=31)
        with database.begin() as session:
            assert sorted(upkeep.free_expired_leases(session)) == run_ids
    else:
        for claim in claims:
            with database.begin() as session:
                endings.retry_or_fail(session, claim, outcome=Outcome.CRASHED, error="boom")
    again = [_ids(take_fleet()) for _ in run_ids]
    assert sorted(again) == [[run_id] for run_id in run_ids]


def test_runs_that_were_released_go_together_again(
    database: Database, put: Any, take_fleet: Any
) -> None:
    put(seeds=3)
    for claim in take_fleet():
        with database.begin() as session:
            endings.let_go(session, claim)
    assert len(take_fleet()) == 3


def test_runs_stored_before_there_were_shapes_go_alone(
    database: Database, put: Any, take_fleet: Any
) -> None:
    put(seeds=2)
    with database.begin() as session:
        session.execute(update(RunRow).values(shape=None))
    assert [len(take_fleet()), len(take_fleet())] == [1, 1]


def test_a_heartbeat_stores_the_progress_of_each(
    database: Database, put: Any, take_fleet: Any
) -> None:
    put(seeds=2)
    first, second = take_fleet(lease=1)
    other = TrainingProgress("measuring", 0.75, 20, None)
    with database.begin() as session:
        heartbeats.heartbeat(session, [(first, HALF), (second, other)], lease_seconds=99)
    stored = [(run.phase, run.fraction, run.step, run.loss) for run in _runs(database)]
    assert stored == [("training", 0.5, 10, 1.25), ("measuring", 0.75, 20, None)]


def _leases(database: Database) -> list[datetime]:
    return [run.lease_until for run in _runs(database) if run.lease_until is not None]


def test_a_heartbeat_extends_every_lease(database: Database, put: Any, take_fleet: Any) -> None:
    put(seeds=2)
    claims = take_fleet(lease=1)
    before = _leases(database)
    _beat(database, claims)
    after = _leases(database)
    assert all((new - old).total_seconds() > 90 for new, old in zip(after, before, strict=True))


@pytest.mark.by_hand("an attempt of nobody")
def test_a_heartbeat_says_who_is_to_be_cancelled_and_who_is_lost(
    database: Database, put: Any, take_fleet: Any
) -> None:
    cancelled = put(chain=SHORT)
    lost, kept = put(seeds=2, chain=LONG).run_ids
    claims = take_fleet()
    with database.begin() as session:
        nobody_wants(session, cancelled.experiment_id)
        session.execute(update(RunRow).where(RunRow.id == lost).values(attempt=2))
    heard = _beat(database, claims)
    assert (heard.cancelled, heard.lost) == (frozenset(cancelled.run_ids), frozenset({lost}))
    assert {run.id: run.phase for run in _runs(database)} == {
        cancelled.run_ids[0]: "training", lost: None, kept: "training"
    }  # fmt: skip


def test_a_heartbeat_never_waits_for_who_writes_a_run_and_does_not_call_it_lost(
    database: Database, put: Any, take_fleet: Any
) -> None:
    put(seeds=2)
    claims = take_fleet()
    with database.begin() as other:
        other.get_one(RunRow, claims[0].run_id, with_for_update=True)
        heard = _beat(database, claims)  # would wait for ever: both are this thread
    assert heard == heartbeats.Heard(frozenset(), frozenset())
    assert [run.phase for run in _runs(database)] == [None, "training"]


def test_a_worker_takes_runs_for_its_kind_of_device_and_for_any(put: Any, take_fleet: Any) -> None:
    gpu = put(chain=SHORT, device="cuda").run_ids
    either = put(chain=LONG).run_ids
    cpu = put(chain={"corr_len": 2.0}, device="cpu").run_ids
    assert _ids(take_fleet(kind="cpu")) == [*either, *cpu]
    assert _ids(take_fleet(kind="cuda")) == gpu


def test_a_cancelled_run_that_is_wanted_again_waits_for_the_device_named_now(
    database: Database, put: Any, take_fleet: Any
) -> None:
    name = put(device="cuda").experiment_id
    with database.begin() as session:
        nobody_wants(session, name)
    put(device="cpu")
    assert len(take_fleet(kind="cpu")) == 1

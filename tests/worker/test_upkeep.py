"""A worker's upkeep on a real database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from lab_processes import until
from set_clock import SetClock
from sqlalchemy import func, select, text, update

from rgcontract import State
from rgstore.charges import charge
from rgstore.database import Database
from rgstore.messages import NO_RUN
from rgstore.outbox import Announcement
from rgstore.tables import ChargeRow, RunRow, WorkerRow
from rgstore.upkeep import UPKEEP_LOCK, free_expired_leases
from rgstore.workers import hearing, live_workers, trainers_alive
from rgworker.hearing import Hearing
from rgworker.upkeep import Upkeep


def upkeep_of(
    database: Database, hearing: Hearing | None = None, *, every_seconds: float = 60, **options: Any
) -> Upkeep:
    return Upkeep(
        database,
        hearing or Hearing(),
        worker="w1",
        host="h1",
        device="cpu",
        concurrency=4,
        every_seconds=every_seconds,
        **options,
    )


def _set(database: Database, table: type, **values: Any) -> None:
    with database.begin() as session:
        session.execute(update(table).values(**values))


def _held(database: Database, **lease: float) -> None:
    """Every run is held by another worker, whose lease ends so long after now."""
    end = func.now() + text(f"interval '{timedelta(**lease).total_seconds()} s'")
    _set(database, RunRow, state=State.RUNNING, attempt=1, lease_owner="w2/1", lease_until=end)


def _states(database: Database) -> list[str]:
    with database.begin() as session:
        return list(session.scalars(select(RunRow.state).order_by(RunRow.id)))


def _workers(database: Database) -> dict[str, tuple[str, int]]:
    with database.begin() as session:
        return {row.name: (row.host, row.concurrency) for row in live_workers(session)}


def test_a_round_says_that_the_worker_is_alive(database: Database) -> None:
    upkeep_of(database).once()
    assert _workers(database) == {"w1": ("h1", 4)}


def test_a_worker_thought_silent_is_alive_after_its_next_round(database: Database) -> None:
    clock = SetClock(database)
    clock.at()
    upkeep = upkeep_of(database)
    upkeep.once()
    clock.forward(seconds=29)
    assert _workers(database) == {"w1": ("h1", 4)}
    clock.forward(seconds=1)  # silent after 30
    assert _workers(database) == {}
    upkeep.once()
    assert _workers(database) == {"w1": ("h1", 4)}


def test_a_round_frees_every_expired_lease(
    database: Database, put: Callable[..., list[int]]
) -> None:
    put(seeds=3)
    _held(database, seconds=-1)
    upkeep_of(database).once()
    assert _states(database) == [State.QUEUED] * 3


def test_a_lease_that_lasts_stays_with_its_worker(
    database: Database, put: Callable[..., list[int]]
) -> None:
    put()
    _held(database, seconds=30)
    upkeep_of(database).once()
    assert _states(database) == [State.RUNNING]


def test_one_worker_at_a_time_does_the_upkeep(
    database: Database, put: Callable[..., list[int]]
) -> None:
    put()
    _held(database, seconds=-1)
    with database.begin() as session:
        assert session.scalar(select(func.pg_try_advisory_xact_lock(UPKEEP_LOCK)))
        upkeep_of(database).once()
    assert _states(database) == [State.RUNNING]
    assert _workers(database) == {"w1": ("h1", 4)}


def test_workers_silent_for_a_day_are_forgotten(database: Database) -> None:
    clock = SetClock(database)
    clock.at()
    upkeep_of(database).once()
    _set(database, WorkerRow, name="old")
    clock.forward(days=1, seconds=1)
    upkeep_of(database).once()
    with database.begin() as session:
        assert list(session.scalars(select(WorkerRow.name))) == ["w1"]


def test_a_worker_that_stops_signs_off(database: Database) -> None:
    upkeep = upkeep_of(database, every_seconds=0.05)
    upkeep.start()
    until(lambda: _workers(database))
    upkeep.stop()
    assert not upkeep.is_alive()
    assert _workers(database) == {}


def test_a_worker_that_never_was_ready_can_stop(database: Database) -> None:
    upkeep_of(database).stop()


def test_a_database_that_is_away_is_waited_for(
    unreachable: Database, caplog: pytest.LogCaptureFixture
) -> None:
    upkeep = upkeep_of(unreachable, every_seconds=0.05)
    upkeep.start()
    until(lambda: caplog.text.count("trying again in 0.05 s") >= 2)
    assert upkeep.is_alive()
    upkeep.stop()
    assert "could not sign off" in caplog.text


def test_a_round_says_on_what_kind_of_device_the_worker_trains(database: Database) -> None:
    upkeep_of(database).once()
    with database.begin() as session:
        assert [worker.device for worker in live_workers(session)] == ["cpu"]
        assert [trainers_alive(session, kind) for kind in ("cpu", "cuda")] == [4, 0]


def _hearing(database: Database) -> int:
    with database.begin() as session:
        return hearing(session)


def test_a_round_says_whether_a_message_has_reached_the_worker_lately(database: Database) -> None:
    clock, at = SetClock(database), [0.0]
    clock.at()
    ear = Hearing(lambda: at[0])
    upkeep = upkeep_of(database, ear)
    upkeep.once()
    assert (_workers(database), _hearing(database)) == ({"w1": ("h1", 4)}, 0)
    ear.heard()
    at[0] += 5
    upkeep.once()
    clock.forward(seconds=24)
    assert _hearing(database) == 1
    clock.forward(seconds=1)  # deaf after 30
    assert (_workers(database), _hearing(database)) == ({"w1": ("h1", 4)}, 0)


def test_the_first_message_is_told_of_at_once(database: Database) -> None:
    ear = Hearing()
    upkeep = upkeep_of(database, ear)
    upkeep.start()
    until(lambda: _workers(database))
    assert _hearing(database) == 0
    ear.heard()
    until(lambda: _hearing(database) == 1, 30)  # rounds are a minute apart
    upkeep.stop()


def test_each_round_has_the_worker_told_of_itself_to_see_whether_it_hears(
    database: Database,
) -> None:
    told: list[Announcement] = []
    database.announce_to(told.append)
    upkeep_of(database).once()
    assert told == [{"worker.w1": [NO_RUN]}]


def test_a_worker_that_hears_nothing_says_so_once(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    at = [0.0]
    ear = Hearing(lambda: at[0])
    upkeep = upkeep_of(database, ear)  # deaf after 30
    upkeep.once()
    assert "no message has come" not in caplog.text
    for _ in range(2):
        at[0] += 31
        upkeep.once()
    assert caplog.text.count("no message has come") == 1
    ear.heard()
    upkeep.once()
    at[0] += 31
    upkeep.once()
    assert caplog.text.count("no message has come") == 2


def test_so_many_leases_are_freed_at_once_and_then_the_others(
    database: Database, put: Callable[..., list[int]]
) -> None:
    """Bounded in time and memory, however many workers were lost."""
    put(seeds=5)
    _held(database, seconds=-1)
    with database.begin() as session:
        assert len(free_expired_leases(session, most=2)) == 2
    with database.begin() as session:
        assert len(free_expired_leases(session, most=2)) == 2
    with database.begin() as session:
        assert len(free_expired_leases(session, most=2)) == 1
    with database.begin() as session:
        assert free_expired_leases(session, most=2) == []


def test_what_counts_for_no_day_any_more_is_forgotten(database: Database) -> None:
    clock = SetClock(database)
    clock.at()
    for flops in (1.0, 2.0):
        with database.begin() as session:
            charge(session, "ann", flops)
        clock.forward(hours=23)
    upkeep_of(database).once()
    with database.begin() as session:
        assert list(session.scalars(select(ChargeRow.flops))) == [2.0]

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
from rgstore.tables import ChargeRow, RunRow, WorkerRow
from rgstore.upkeep import UPKEEP_LOCK, free_expired_leases
from rgstore.workers import worker_seen
from rgworker.upkeep import Upkeep


def upkeep_of(database: Database, *, every_seconds: float = 60) -> Upkeep:
    return Upkeep(database, every_seconds=every_seconds)


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


def test_workers_silent_for_a_day_are_forgotten(database: Database) -> None:
    clock = SetClock(database)
    clock.at()
    with database.begin() as session:
        worker_seen(session, "old", "host", "cpu", 1)
    clock.forward(days=1, seconds=1)
    with database.begin() as session:
        worker_seen(session, "new", "host", "cpu", 1)
    upkeep_of(database).once()
    with database.begin() as session:
        assert list(session.scalars(select(WorkerRow.name))) == ["new"]


def test_a_database_that_is_away_is_waited_for(
    unreachable: Database, caplog: pytest.LogCaptureFixture
) -> None:
    upkeep = upkeep_of(unreachable, every_seconds=0.05)
    upkeep.start()
    until(lambda: caplog.text.count("trying again in 0.05 s") >= 2)
    assert upkeep.is_alive()
    upkeep.stop()


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

"""A worker's upkeep on a real database; messages go to a sender that remembers them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from lab_processes import until
from sqlalchemy import func, select, text, update

from rgcontract import State
from rgstore.database import Database
from rgstore.messages import CelerySender
from rgstore.tables import RunRow, WorkerRow
from rgstore.upkeep import UPKEEP_LOCK, live_workers, trainers_alive
from rgworker.upkeep import Upkeep

NOBODY = "127.0.0.1:1"
"""An address where nothing listens."""


class Recorder:
    """A broker that takes messages and holds as many as it is told to."""

    def __init__(self, holding: int = 0, *, takes: int = 1000) -> None:
        self.holding, self.takes = holding, takes
        self.sent: list[int] = []
        self.queues: set[str] = set()

    def send(self, run_ids: Sequence[int], device: str = "any") -> list[int]:
        self.queues.add(device)
        taken = list(run_ids[: self.takes])
        self.sent += taken
        return taken

    def waiting(self) -> dict[str, int]:
        return {"any": self.holding}


class BackAgain(Recorder):
    """Away the first time it is asked, as the real sender is without a broker."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def waiting(self) -> dict[str, int]:
        self.asked += 1
        if self.asked == 1:
            return CelerySender(f"redis://{NOBODY}/0").waiting()
        return super().waiting()


def upkeep_of(database: Database, sender: Any, *, every_seconds: float = 60) -> Upkeep:
    return Upkeep(
        database,
        sender,
        worker="w1",
        host="h1",
        device="cpu",
        concurrency=4,
        every_seconds=every_seconds,
    )


def _set(database: Database, table: type, **values: Any) -> None:
    with database.begin() as session:
        session.execute(update(table).values(**values))


def _ago(**delta: float) -> Any:
    return func.now() - text(f"interval '{timedelta(**delta).total_seconds()} s'")


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


@pytest.fixture
def forgotten(database: Database, put: Callable[..., list[int]]) -> list[int]:
    """Three runs that wait for a minute, their messages lost."""
    run_ids = put(seeds=3)
    _set(database, RunRow, queued_at=_ago(minutes=1))
    return run_ids


@pytest.fixture
def unreachable() -> Iterator[Database]:
    opened = Database(f"postgresql+psycopg://nobody@{NOBODY}/none")
    yield opened
    opened.dispose()


def test_a_round_says_that_the_worker_is_alive(database):
    upkeep_of(database, Recorder()).once()
    assert _workers(database) == {"w1": ("h1", 4)}


def test_a_worker_thought_silent_is_alive_after_its_next_round(database):
    upkeep = upkeep_of(database, Recorder())
    upkeep.once()
    _set(database, WorkerRow, seen_at=_ago(minutes=1))
    assert _workers(database) == {}
    upkeep.once()
    assert _workers(database) == {"w1": ("h1", 4)}


def test_lost_messages_are_sent_again_once(database, forgotten):
    sender = Recorder()
    upkeep = upkeep_of(database, sender)
    upkeep.once()
    assert sender.sent == forgotten
    upkeep.once()
    assert sender.sent == forgotten


def test_nothing_is_sent_while_the_broker_holds_a_message_for_every_run(database, forgotten):
    sender = Recorder(holding=3)
    upkeep_of(database, sender).once()
    assert sender.sent == []


def test_a_message_that_the_broker_did_not_take_is_sent_the_next_time(database, forgotten):
    sender = Recorder(takes=1)
    upkeep = upkeep_of(database, sender)
    for _ in range(3):
        upkeep.once()
    assert sender.sent == forgotten


def test_a_round_frees_every_expired_lease(database, put):
    put(seeds=3)
    _held(database, seconds=-1)
    upkeep_of(database, Recorder()).once()
    assert _states(database) == [State.QUEUED] * 3


def test_a_lease_that_lasts_stays_with_its_worker(database, put):
    put()
    _held(database, seconds=30)
    upkeep_of(database, Recorder()).once()
    assert _states(database) == [State.RUNNING]


def test_a_freed_run_gets_its_message_in_a_later_round(database, put):
    """Not at once: a round has a second's patience with messages on their way."""
    (run_id,) = put()
    _held(database, seconds=-1)
    sender = Recorder()
    upkeep = upkeep_of(database, sender)
    upkeep.once()
    assert sender.sent == []
    _set(database, RunRow, queued_at=_ago(seconds=2), sent_at=None)
    upkeep.once()
    assert sender.sent == [run_id]


def test_one_worker_at_a_time_does_the_upkeep(database, forgotten):
    sender = Recorder()
    with database.begin() as session:
        assert session.scalar(select(func.pg_try_advisory_xact_lock(UPKEEP_LOCK)))
        upkeep_of(database, sender).once()
    assert sender.sent == []
    assert _workers(database) == {"w1": ("h1", 4)}


def test_workers_silent_for_a_day_are_forgotten(database):
    upkeep_of(database, Recorder()).once()
    _set(database, WorkerRow, name="old", seen_at=_ago(hours=25))
    upkeep_of(database, Recorder()).once()
    with database.begin() as session:
        assert list(session.scalars(select(WorkerRow.name))) == ["w1"]


def test_a_worker_that_stops_signs_off(database):
    upkeep = upkeep_of(database, Recorder(), every_seconds=0.05)
    upkeep.start()
    until(lambda: _workers(database))
    upkeep.stop()
    assert not upkeep.is_alive()
    assert _workers(database) == {}


def test_a_worker_that_never_was_ready_can_stop(database):
    upkeep_of(database, Recorder()).stop()


def test_the_thread_does_its_rounds_until_it_is_stopped(database, forgotten):
    sender = Recorder(takes=1)
    upkeep = upkeep_of(database, sender, every_seconds=0.05)
    upkeep.start()
    until(lambda: len(sender.sent) == 3)
    upkeep.stop()
    assert sender.sent == forgotten


def test_a_broker_that_is_away_is_waited_for(database, forgotten):
    sender = BackAgain()
    upkeep = upkeep_of(database, sender, every_seconds=0.05)
    upkeep.start()
    until(lambda: sender.sent, 20)
    upkeep.stop()
    assert sender.sent == forgotten


def test_a_database_that_is_away_is_waited_for(unreachable, caplog):
    upkeep = upkeep_of(unreachable, Recorder(), every_seconds=0.05)
    upkeep.start()
    until(lambda: caplog.text.count("trying again in 0.05 s") >= 2)
    assert upkeep.is_alive()
    upkeep.stop()
    assert "could not sign off" in caplog.text


def test_a_lost_message_goes_to_the_queue_of_the_runs_device(database, forgotten):
    _set(database, RunRow, device="cuda")
    sender = Recorder()
    upkeep_of(database, sender).once()
    assert (sender.sent, sender.queues) == (forgotten, {"cuda"})


def test_a_round_says_on_what_kind_of_device_the_worker_trains(database):
    upkeep_of(database, Recorder()).once()
    with database.begin() as session:
        assert [worker.device for worker in live_workers(session)] == ["cpu"]
        assert [trainers_alive(session, kind) for kind in ("cpu", "cuda")] == [4, 0]

"""A worker's word that it is there, on a real database."""

from __future__ import annotations

import pytest
from lab_processes import until
from set_clock import SetClock
from sqlalchemy import func, text, update

from rgstore.database import Database
from rgstore.messages import NO_RUN
from rgstore.outbox import Announcement
from rgstore.tables import WorkerRow
from rgstore.workers import hearing, live_workers, trainers_alive
from rgworker.hearing import Hearing
from rgworker.presence import Presence


def presence_of(
    database: Database, hearing: Hearing | None = None, *, every_seconds: float = 60
) -> Presence:
    return Presence(
        database,
        hearing or Hearing(),
        worker="w1",
        host="h1",
        device="cpu",
        concurrency=4,
        every_seconds=every_seconds,
    )


def _workers(database: Database) -> dict[str, tuple[str, int]]:
    with database.begin() as session:
        return {row.name: (row.host, row.concurrency) for row in live_workers(session)}


def _hearing(database: Database) -> int:
    with database.begin() as session:
        return hearing(session)


def test_a_round_says_that_the_worker_is_alive(database: Database) -> None:
    presence_of(database).once()
    assert _workers(database) == {"w1": ("h1", 4)}


def test_a_worker_thought_silent_is_alive_after_its_next_round(database: Database) -> None:
    clock = SetClock(database)
    clock.at()
    presence = presence_of(database)
    presence.once()
    clock.forward(seconds=29)
    assert _workers(database) == {"w1": ("h1", 4)}
    clock.forward(seconds=1)  # silent after 30
    assert _workers(database) == {}
    presence.once()
    assert _workers(database) == {"w1": ("h1", 4)}


def test_a_worker_that_stops_signs_off(database: Database) -> None:
    presence = presence_of(database, every_seconds=0.05)
    presence.start()
    until(lambda: _workers(database))
    presence.stop()
    assert not presence.is_alive()
    assert _workers(database) == {}


def test_a_worker_that_never_was_ready_can_stop(database: Database) -> None:
    presence_of(database).stop()


def test_a_round_says_on_what_kind_of_device_the_worker_trains(database: Database) -> None:
    presence_of(database).once()
    with database.begin() as session:
        assert [worker.device for worker in live_workers(session)] == ["cpu"]
        assert [trainers_alive(session, kind) for kind in ("cpu", "cuda")] == [4, 0]


def test_a_round_says_whether_a_message_has_reached_the_worker_lately(database: Database) -> None:
    clock, at = SetClock(database), [0.0]
    clock.at()
    ear = Hearing(lambda: at[0])
    presence = presence_of(database, ear)
    presence.once()
    assert (_workers(database), _hearing(database)) == ({"w1": ("h1", 4)}, 0)
    ear.heard()
    at[0] += 5
    presence.once()
    clock.forward(seconds=24)
    assert _hearing(database) == 1
    clock.forward(seconds=1)  # deaf after 30
    assert (_workers(database), _hearing(database)) == ({"w1": ("h1", 4)}, 0)


def test_the_first_message_is_told_of_at_once(database: Database) -> None:
    ear = Hearing()
    presence = presence_of(database, ear)
    presence.start()
    until(lambda: _workers(database))
    assert _hearing(database) == 0
    ear.heard()
    until(lambda: _hearing(database) == 1, 30)  # rounds are a minute apart
    presence.stop()


def test_each_round_has_the_worker_told_of_itself_to_see_whether_it_hears(
    database: Database,
) -> None:
    told: list[Announcement] = []
    database.announce_to(told.append)
    presence_of(database).once()
    assert told == [{"worker.w1": [NO_RUN]}]


def test_a_worker_that_hears_nothing_says_so_once(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    at = [0.0]
    ear = Hearing(lambda: at[0])
    presence = presence_of(database, ear)  # deaf after 30
    presence.once()
    assert "no message has come" not in caplog.text
    for _ in range(2):
        at[0] += 31
        presence.once()
    assert caplog.text.count("no message has come") == 1
    ear.heard()
    presence.once()
    at[0] += 31
    presence.once()
    assert caplog.text.count("no message has come") == 2


def test_a_database_that_is_away_is_waited_for(
    unreachable: Database, caplog: pytest.LogCaptureFixture
) -> None:
    presence = presence_of(unreachable, every_seconds=0.05)
    presence.start()
    until(lambda: caplog.text.count("trying again in 0.05 s") >= 2)
    assert presence.is_alive()
    presence.stop()
    assert "could not sign off" in caplog.text


def test_workers_are_counted_as_of_when_a_reader_began_however_long_it_reads(
    database: Database,
) -> None:
    """What a reader sees is of that moment: no later word of a worker is in it."""
    ear = Hearing()
    ear.heard()
    presence_of(database, ear).once()
    with database.begin() as session:
        barely = func.now() - text("interval '29.999999 s'")  # silent a microsecond later
        session.execute(update(WorkerRow).values(seen_at=barely, heard_at=barely))
        assert [worker.name for worker in live_workers(session)] == ["w1"]
        assert hearing(session) == 1

"""Threads that measure, and the one that looks whether there is anything to measure."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from lab_processes import until
from sqlalchemy.exc import OperationalError

from rgcontract import State
from rgstore.claiming import Holder, in_line
from rgstore.database import Database
from rgworker.hands import Hands
from rgworker.lookout import Lookout

AT_ONCE_S = 10.0
"""For a busy machine; what is ruled out is waiting for ever, or for the sweep of another worker."""


class Line:
    """Runs in line, and work on them that lasts until it is let end."""

    def __init__(self, waiting: int = 0) -> None:
        self.waiting, self.at_work, self.looks, self.warm = waiting, 0, 0, 0
        self.claim, self.end = threading.Event(), threading.Event()
        self.claim.set()
        self._lock = threading.Lock()

    def measure_next(self, claimed: Callable[[], None]) -> list[State]:
        with self._lock:
            self.looks += 1
        self.claim.wait(60)
        with self._lock:
            found = self.waiting > 0
            self.waiting -= found
            self.at_work += found
        claimed()
        if not found:
            return []
        self.end.wait(60)
        with self._lock:
            self.at_work -= 1
        return [State.DONE]

    def count(self, most: int) -> int:
        return min(self.waiting, most)


class Crew:
    """Hands and their lookout."""

    def __init__(self, line: Line, count: int, waiting: Callable[[int], int] | None = None) -> None:
        self.line = line
        self.stopping, self.told = threading.Event(), threading.Event()
        self.hands = Hands(
            count,
            line.measure_next,
            self.stopping,
            on_free=self.told.set,
            warm=lambda: line.warm,
            pause_seconds=0.05,
        )
        self.lookout = Lookout(
            self.hands, waiting or line.count, self.told, self.stopping, pause_seconds=0.05
        )

    def start(self) -> Crew:
        self.hands.start()
        self.lookout.start()
        return self

    def stop(self) -> None:
        self.stopping.set()
        self.line.claim.set()
        self.line.end.set()
        self.hands.join()
        self.lookout.join()


@pytest.fixture
def crew() -> Iterator[Callable[..., Crew]]:
    made: list[Crew] = []

    def _crew(line: Line, count: int, **options: Any) -> Crew:
        made.append(Crew(line, count, **options))
        return made[-1].start()

    yield _crew
    for one in made:
        one.stop()


def test_runs_are_found_without_any_message(crew: Callable[..., Crew]) -> None:
    line = Line()
    crew(line, 2)
    line.waiting = 1
    until(lambda: line.at_work == 1, AT_ONCE_S)


def test_one_run_calls_one_hand(crew: Callable[..., Crew]) -> None:
    """Each hand that is called starts a trainer; a second one would start it for nothing."""
    line = Line()
    line.claim.clear()  # the first takes long to claim, as with a trainer that starts
    made = crew(line, 4)
    line.waiting = 1
    until(lambda: line.looks == 1, AT_ONCE_S)
    for _ in range(5):
        made.told.set()
        until(lambda: not made.told.is_set(), AT_ONCE_S)  # the lookout has begun to look
    assert made.hands.counts() == (3, 1)
    line.claim.set()
    until(lambda: made.hands.counts() == (3, 0), AT_ONCE_S)
    assert line.looks == 1


def test_a_run_does_not_wait_for_a_trainer_that_starts_while_another_is_ready(
    crew: Callable[..., Crew],
) -> None:
    line = Line(waiting=1)
    line.claim.clear()  # the first hand starts a trainer
    made = crew(line, 3)
    until(lambda: line.looks == 1, AT_ONCE_S)
    line.warm = 1
    made.told.set()
    until(lambda: line.looks == 2, AT_ONCE_S)


def test_as_many_runs_as_there_are_hands_are_at_work_side_by_side(
    crew: Callable[..., Crew],
) -> None:
    line = Line(waiting=7)
    made = crew(line, 3)
    until(lambda: line.at_work == 3, AT_ONCE_S)
    assert (line.waiting, made.hands.counts()) == (4, (0, 0))


def test_a_hand_that_is_free_again_takes_the_next(crew: Callable[..., Crew]) -> None:
    line = Line(waiting=30)
    line.end.set()
    crew(line, 2)
    until(lambda: line.waiting == 0, AT_ONCE_S)


def test_a_hand_outlives_what_goes_wrong(
    crew: Callable[..., Crew], caplog: pytest.LogCaptureFixture
) -> None:
    line = Line(waiting=1)
    line.end.set()
    tries = []
    measure = line.measure_next

    def fails_once(claimed: Any) -> Any:
        tries.append(1)
        if len(tries) == 1:
            raise RuntimeError("no trainer could be started")
        return measure(claimed)

    line.measure_next = fails_once  # type: ignore[method-assign]  # it breaks on purpose
    made = crew(line, 1)
    until(lambda: line.waiting == 0, AT_ONCE_S)
    until(lambda: made.hands.counts() == (1, 0), AT_ONCE_S)
    assert "no trainer could be started" in caplog.text


def test_a_database_that_is_away_is_looked_at_again(
    crew: Callable[..., Crew], caplog: pytest.LogCaptureFixture
) -> None:
    line = Line(waiting=1)
    asked = []

    def away_at_first(most: Any) -> Any:
        asked.append(1)
        if len(asked) < 3:
            raise OperationalError("select", {}, Exception("the server is gone"))
        return line.count(most)

    crew(line, 1, waiting=away_at_first)
    until(lambda: line.at_work == 1, AT_ONCE_S)
    assert caplog.text.count("the database does not answer") == 1


def test_a_look_that_breaks_in_an_unknown_way_is_not_the_last(
    crew: Callable[..., Crew], caplog: pytest.LogCaptureFixture
) -> None:
    line = Line(waiting=1)
    broken = [ValueError("what is this")]

    def breaks_once(most: Any) -> Any:
        if broken:
            raise broken.pop()
        return line.count(most)

    crew(line, 1, waiting=breaks_once)
    until(lambda: line.at_work == 1, AT_ONCE_S)
    assert "what is this" in caplog.text


def test_a_worker_that_stops_ends_its_threads() -> None:
    made = Crew(Line(), 3).start()
    made.stop()
    assert not made.lookout.is_alive()


def test_hands_that_never_started_can_be_waited_for() -> None:
    Crew(Line(), 3).hands.join()


def test_a_look_counts_what_the_worker_may_take_and_no_more_than_it_needs(
    database: Database, put: Callable[..., list[int]]
) -> None:
    put(seeds=5)
    with database.begin() as session:
        for kind, most, found in [("cpu", 3, 3), ("cpu", 9, 5), ("cuda", 9, 5)]:
            assert in_line(session, Holder("w/1", "w", "h", kind, {}, {}, kind), most=most) == found

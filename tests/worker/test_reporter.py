"""Progress of many members in few messages."""

from __future__ import annotations

from itertools import count

from rgstore.heartbeats import TrainingProgress
from rgworker.protocol import Advanced, Event
from rgworker.reporter import REPORT_SECONDS, Reporter


def at(step: int) -> TrainingProgress:
    return TrainingProgress("training", 0.5, step, 1.0)


class Clock:
    """Time as it is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_first_word_is_told_at_once_and_the_next_ones_together() -> None:
    told: list[Event] = []
    clock = Clock()
    reporter = Reporter(told.append, clock=clock)
    reporter.of(0)(at(1))
    reporter.of(1)(at(1))
    reporter.of(0)(at(2))
    clock.now = REPORT_SECONDS
    reporter.of(1)(at(3))
    assert told == [Advanced({0: at(1)}), Advanced({0: at(2), 1: at(3)})]


def test_the_number_of_messages_does_not_grow_with_the_members() -> None:
    def messages(members: int) -> int:
        told: list[Event] = []
        clock = count(step=REPORT_SECONDS / 100 / members)
        reporter = Reporter(told.append, clock=lambda: next(clock))
        for step in range(1000):
            for member in range(members):
                reporter.of(member)(at(step))
        return len(told)

    assert abs(messages(1) - messages(64)) <= 1  # 1000 steps of a hundredth of the interval


def test_nothing_comes_after_the_last_word_of_a_member() -> None:
    told: list[Event] = []
    clock = Clock()
    reporter = Reporter(told.append, clock=clock)
    reporter.of(0)(at(1))
    reporter.of(1)(at(1))
    reporter.drop(1)
    clock.now = REPORT_SECONDS
    reporter.of(0)(at(2))
    assert told[-1] == Advanced({0: at(2)})

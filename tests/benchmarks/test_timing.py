"""The harness: turns, medians, what does not count."""

from __future__ import annotations

from functools import partial
from itertools import count

import pytest
import torch

from benchmarks.timing import Timing, interleave, repeated, threads


def test_contenders_take_turns_and_every_other_round_runs_backwards() -> None:
    called: list[str] = []

    def turn(name: str) -> float:
        called.append(name)
        return 1.0

    interleave({name: partial(turn, name) for name in "ab"}, rounds=2)
    assert "".join(called) == "abbaab"


def test_the_round_before_does_not_count() -> None:
    costs = count(1.0)
    assert interleave({"a": lambda: next(costs)}, rounds=3)["a"].costs == (2.0, 3.0, 4.0)


def test_contenders_that_are_warm_have_no_round_before() -> None:
    costs = count(1.0)
    assert interleave({"a": lambda: next(costs)}, rounds=2, warm=True)["a"].costs == (1.0, 2.0)


def test_enough_ends_the_rounds_early_after_one_that_counts() -> None:
    assert len(interleave({"a": lambda: 1.0}, 9, enough=lambda: True)["a"].costs) == 1


def test_a_timing_has_median_least_and_most() -> None:
    timing = Timing((5.0, 1.0, 2.0))
    assert (timing.median, timing.least, timing.most) == (2.0, 1.0, 5.0)


def test_repeated_work_is_done_so_many_times() -> None:
    done = []
    assert repeated(lambda: done.append(0), units=2, times=3)() >= 0
    assert len(done) == 3


def test_the_number_of_threads_is_put_back_when_the_work_fails() -> None:
    before = torch.get_num_threads()
    with pytest.raises(KeyError), threads(before + 1):
        raise KeyError
    assert torch.get_num_threads() == before

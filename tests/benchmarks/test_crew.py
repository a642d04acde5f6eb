"""Processes that work side by side."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from benchmarks.crew import Crew
from benchmarks.race import RefusedError


@pytest.fixture(scope="module")
def crew() -> Iterator[Any]:
    with Crew(2, threads=1) as found:
        yield found


def test_answers_come_in_the_order_of_the_orders(crew: Any) -> None:
    assert crew.map(divmod, [(7, 2), (9, 4)]) == [(3, 1), (2, 1)]


def test_fewer_orders_than_processes_leave_some_idle(crew: Any) -> None:
    assert crew.map(abs, [(-3,)]) == [3]


def test_each_process_is_another_one(crew: Any) -> None:
    assert len({os.getpid(), *crew.map(os.getpid, [(), ()])}) == 3


def test_a_process_computes_on_as_many_threads_as_it_was_given(crew: Any) -> None:
    assert crew.map(torch.get_num_threads, [()]) == [1]


def test_what_goes_wrong_in_a_process_is_a_race_without_a_time(crew: Any) -> None:
    with pytest.raises(RefusedError, match="ZeroDivisionError"):
        crew.map(divmod, [(1, 0), (1, 1)])


def test_after_a_failure_the_processes_take_orders(crew: Any) -> None:
    with pytest.raises(RefusedError):
        crew.map(divmod, [(1, 0)])
    assert crew.map(abs, [(-3,), (-4,)]) == [3, 4]


def test_the_environment_of_the_caller_is_left_alone(crew: Any) -> None:
    assert os.environ.get("PJRT_NPROC") is None

"""A fleet in its trainer: the same numbers as alone, and one member's end is not the others'."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any, Never

import numpy as np
import pytest
import torch
from lab_processes import TINY
from single_thread import single_thread  # noqa: F401  # a fixture

from rgcore.fleet import train_fleet
from rgstore.records import RunRecord
from rgworker.fleet import Fleet, Training
from rgworker.protocol import Advanced, Broken, End, Event, Finished, Job, Left, Task, Unread

ROUNDING = 1e-5
"""Relative and absolute. Float32 rounds to 6e-8; over 20 steps and read-outs through directions of
little variance that grows a hundredfold at most. Seen: 5e-6."""
SPEC: dict[str, Any] = TINY
WILD_MODEL = {**SPEC["model"], "norm": "none", "activation": "relu", "init_scale": 10.0}
SGD = {"steps": 100, "batch_size": 16, "optimizer": "sgd", "lr": 1e-6, "grad_clip": None}


def task(seed: int = 0, *, corr_len: float = 2.0, training: Any = None, **sections: Any) -> Task:
    spec = {**SPEC, "chain": {**SPEC["chain"], "corr_len": corr_len}, **sections}
    spec["training"] = {**spec["training"], **(training or {})}
    return Task(spec, 0, seed, None)


class Asked:
    """Members asked to leave, from a call on."""

    def __init__(self, members: Collection[int] = (), *, after: int = 0) -> None:
        self.members, self.after, self.calls = set(members), after, 0

    def __call__(self) -> Collection[int]:
        self.calls += 1
        return self.members if self.calls > self.after else ()


def events_of(
    tasks: list[Task], *, asked: Asked | None = None, training: Training = train_fleet
) -> list[Event]:
    events: list[Event] = []
    Fleet(
        Job(tuple(tasks)),
        torch.device("cpu"),
        tell=events.append,
        asked_to_leave=asked or Asked(),
        training=training,
    ).see_through()
    return events


def last_words(events: list[Event]) -> list[End]:
    """All that is not progress."""
    ends: list[End] = []
    for event in events:
        if not isinstance(event, Advanced):
            assert isinstance(event, End)
            ends.append(event)
    return ends


def ends_of(tasks: list[Task], **options: Any) -> dict[int, End]:
    events = events_of(tasks, **options)
    ends = last_words(events)
    assert sorted(end.member for end in ends) == list(range(len(tasks)))
    return {end.member: end for end in ends}


def record_of(task: Task) -> RunRecord:
    (end,) = ends_of([task]).values()
    return finished(end)


def finished(end: End) -> RunRecord:
    """What it measured, which it did to the end."""
    assert isinstance(end, Finished)
    return end.record


def error_of(end: End) -> str:
    """Why it was not measured."""
    assert isinstance(end, Broken | Unread)
    return end.error


def numbers(record: RunRecord) -> dict[tuple[str, str, str], np.ndarray]:
    return {one.key: np.array(one.values) for one in record.quantities}


class Narrow:
    """A device with room for so many members."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.sizes: list[int] = []

    def __call__(self, members: Any, **options: Any) -> Any:
        self.sizes.append(len(members))
        if len(members) <= self.room:
            return train_fleet(members, **options)
        train_fleet(members, **{**options, "on_stop": lambda _index, _step: None})
        raise torch.OutOfMemoryError("no room for the last step")


def test_a_members_numbers_are_those_of_the_run_alone() -> None:
    along = {"n_sequences": 64, "at": "log"}
    tasks = [
        task(seed, corr_len=corr_len, training={"lr": lr}, measurement=along)
        for seed, corr_len, lr in [(0, 1.0, 1e-3), (0, 7.0, 1e-3), (5, 2.0, 1e-2)]
    ]
    ends = ends_of(tasks)
    for member, alone in enumerate(map(record_of, tasks)):
        found = finished(ends[member])
        assert found.training.curve_steps == alone.training.curve_steps
        np.testing.assert_allclose(
            found.training.curve_losses, alone.training.curve_losses, ROUNDING, ROUNDING
        )
        expected = numbers(alone)
        assert numbers(found).keys() == expected.keys()
        for key, values in numbers(found).items():
            np.testing.assert_allclose(values, expected[key], ROUNDING, ROUNDING, err_msg=str(key))


def test_a_member_that_diverges_fails_alone_with_its_cause() -> None:
    wild = {**SGD, "lr": 10.0}
    tasks = [task(0, training=SGD, model=WILD_MODEL), task(1, training=wild, model=WILD_MODEL)]
    ends = ends_of(tasks)
    assert isinstance(ends[0], Finished)
    assert isinstance(ends[1], Broken)
    assert ends[1].may_pass is False
    assert "try a smaller training.lr" in ends[1].error


def test_a_member_whose_spec_cannot_be_read_is_handed_back_alone() -> None:
    ends = ends_of([Task({"chain": {"corr_len": -1.0}}, 0, 0, None), task(1), task(2)])
    assert [type(ends[member]) for member in range(3)] == [Unread, Finished, Finished]
    assert error_of(ends[0]).startswith("chain.corr_len")


@pytest.mark.parametrize(("room", "sizes"), [(2, [5, 2, 2, 1]), (1, [5, 2, 1, 1, 1, 1, 1])])
def test_out_of_memory_halves_the_fleet_and_goes_on(room: int, sizes: Any) -> None:
    narrow = Narrow(room)
    ends = ends_of([task(seed) for seed in range(5)], training=narrow)
    assert narrow.sizes == sizes
    assert {type(end) for end in ends.values()} == {Finished}


def test_what_started_again_gives_the_numbers_of_the_run_alone() -> None:
    ends = ends_of([task(0), task(1)], training=Narrow(1))
    expected = numbers(record_of(task(1)))
    found = numbers(finished(ends[1]))
    assert found.keys() == expected.keys()
    for key, values in found.items():  # alone in the end: bit for bit
        np.testing.assert_array_equal(values, expected[key], err_msg=str(key))
    assert [weights.step for weights in finished(ends[1]).training.weights] == [20]
    assert finished(ends[1]).fleet == 1


def test_one_that_has_no_room_even_alone_may_be_tried_again() -> None:
    ends = ends_of([task(0), task(1)], training=Narrow(0))
    assert all(isinstance(end, Broken) and end.may_pass for end in ends.values())
    assert error_of(ends[0]) == "out of memory: no room for the last step"


def test_a_fault_in_a_fleet_is_found_one_by_one() -> None:
    def faulty(members: Any, **options: Any) -> Any:
        if any(member.seed == 1 for member in members):
            raise RuntimeError("on purpose")
        return train_fleet(members, **options)

    ends = ends_of([task(seed) for seed in range(3)], training=faulty)
    assert [type(ends[member]) for member in range(3)] == [Finished, Broken, Finished]
    assert error_of(ends[1]) == "RuntimeError: on purpose"


def test_members_that_are_asked_to_leave_do_and_the_others_go_on() -> None:
    asked = Asked({1}, after=8)  # by then they are in training
    tasks = [task(seed, training={"steps": 400}) for seed in range(3)]
    events = events_of(tasks, asked=asked)
    ends = last_words(events)
    assert ends[0] == Left(1)
    assert [(type(end), end.member) for end in ends[1:]] == [(Finished, 0), (Finished, 2)]


def test_a_member_may_leave_before_it_has_begun() -> None:
    ends = ends_of([task(0), task(1)], asked=Asked({0, 1}))
    assert ends == {0: Left(0), 1: Left(1)}


def test_weights_that_are_stored_are_measured_and_the_others_trained() -> None:
    stored = record_of(task(0))
    again = Task(task(0).spec, 0, 0, stored.training)
    narrow = Narrow(9)
    ends = ends_of([again, task(1)], training=narrow)
    assert [finished(ends[member]).trained for member in (0, 1)] == [False, True]
    assert narrow.sizes == [1]
    assert numbers(finished(ends[0])).keys() == numbers(stored).keys()


def test_the_working_times_of_the_members_add_up_to_that_of_the_fleet() -> None:
    started = time.monotonic()
    ends = ends_of([task(seed) for seed in range(4)])
    wall = time.monotonic() - started
    seconds = [finished(end).seconds for end in ends.values()]
    assert min(seconds) > 0
    assert sum(seconds) <= wall
    assert {finished(end).fleet for end in ends.values()} == {4}


def test_a_worker_that_is_gone_ends_the_fleet() -> None:
    def gone() -> Collection[int]:
        raise EOFError

    events: list[Event] = []
    fleet = Fleet(Job((task(0),)), torch.device("cpu"), tell=events.append, asked_to_leave=gone)
    with pytest.raises(EOFError):
        fleet.see_through()
    assert events == []


@pytest.mark.parametrize("members", [1, 3])
def test_where_the_device_cannot_go_on_no_run_is_called_broken(members: int) -> None:
    events: list[Event] = []

    def fails(members: Any, **options: Any) -> Never:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    def lost(_device: Any) -> None:
        raise RuntimeError("CUDA error: the device is lost")

    fleet = Fleet(
        Job(tuple(task(seed) for seed in range(members))),
        torch.device("cpu"),
        tell=events.append,
        asked_to_leave=Asked(),
        training=fails,
        check=lost,
    )
    with pytest.raises(RuntimeError, match="device is lost"):
        fleet.see_through()
    assert not any(isinstance(event, Broken) for event in events)

"""Members that diverge or leave, and the others."""

from __future__ import annotations

from typing import Any

import pytest

from rgcore.fleet import train_fleet
from rgcore.training import DivergedError, TrainingTrace

EXACT = 1e-9
"""Rounding leaves 1e-15; Adam, which divides by sqrt(v) + 1e-8, makes more of a small gradient."""
SEQ_LEN = 6
WILD = {"lr": 1e200, "grad_clip": None}
"""The first step leaves weights whose products overflow."""
STEPS = 410
"""The loss is looked at every third step: divergence is noticed later than it happens."""


def wild_at(place: Any, make_member: Any) -> Any:
    """Three members, one of which diverges."""
    members = [make_member(seed, steps=STEPS) for seed in (0, 1)]
    members.insert(place, make_member(2, steps=STEPS, **WILD))
    return members


@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_that_diverges_leaves_the_others_as_without_it(
    place: int, make_member: Any, furthest_apart: Any
) -> None:
    with_it = wild_at(place, make_member)
    without = [make_member(seed, steps=STEPS) for seed in (0, 1)]
    train_fleet(with_it, seq_len=SEQ_LEN)
    train_fleet(without, seq_len=SEQ_LEN)
    del with_it[place]
    assert all(furthest_apart(a, b) < EXACT for a, b in zip(with_it, without, strict=True))


def test_it_has_the_error_of_a_run_by_itself(make_member: Any, trained_alone: Any) -> None:
    results = train_fleet(wild_at(1, make_member), seq_len=SEQ_LEN)
    with pytest.raises(DivergedError) as alone:
        trained_alone(make_member(2, steps=STEPS, **WILD))
    assert [type(result) for result in results] == [TrainingTrace, DivergedError, TrainingTrace]
    assert str(results[1]) == str(alone.value)


def test_one_that_diverged_is_heard_of_no_more(make_member: Any) -> None:
    heard = []
    train_fleet(
        wild_at(1, make_member),
        seq_len=SEQ_LEN,
        on_progress=lambda index, progress: heard.append(index),
    )
    assert set(heard) == {0, 2}


def test_a_fleet_of_one_that_diverges_gives_its_error(make_member: Any) -> None:
    (result,) = train_fleet([make_member(0, **WILD)], seq_len=SEQ_LEN)
    assert isinstance(result, DivergedError)


def test_when_all_diverge_training_ends(make_member: Any) -> None:
    results = train_fleet([make_member(seed, **WILD) for seed in (0, 1)], seq_len=SEQ_LEN)
    assert [type(result) for result in results] == [DivergedError, DivergedError]


@pytest.mark.parametrize("leaver", [0, 1, 2])
def test_the_others_go_on_as_if_one_that_leaves_had_stayed(
    leaver: int, make_member: Any, furthest_apart: Any
) -> None:
    with_it, without = ([make_member(seed) for seed in range(3)] for _ in range(2))
    results = train_fleet(with_it, seq_len=SEQ_LEN, leaving=lambda: {leaver}, progress_every=5)
    train_fleet(without, seq_len=SEQ_LEN)
    stayed = [index for index in range(3) if index != leaver]
    assert results[leaver] is None
    assert all(furthest_apart(with_it[index], without[index]) < EXACT for index in stayed)


@pytest.mark.parametrize("size", [1, 3])
def test_who_leaves_is_asked_between_steps(size: int, make_member: Any) -> None:
    asked: list[None] = []

    def leaving() -> Any:
        asked.append(None)
        return ()

    train_fleet(
        [make_member(seed) for seed in range(size)],
        seq_len=SEQ_LEN,
        leaving=leaving,
        progress_every=4,
    )
    assert len(asked) == 2  # after 4 and 8 of 12 steps


@pytest.mark.parametrize("size", [1, 3])
def test_when_all_leave_training_ends(size: int, make_member: Any) -> None:
    reports = []
    results = train_fleet(
        [make_member(seed) for seed in range(size)],
        seq_len=SEQ_LEN,
        leaving=lambda: range(size),
        on_progress=lambda index, progress: reports.append(progress.step),
        progress_every=4,
    )
    assert results == [None] * size
    assert set(reports) == {4}


def test_one_that_left_may_be_named_again(make_member: Any) -> None:
    results = train_fleet(
        [make_member(seed) for seed in range(3)],
        seq_len=SEQ_LEN,
        leaving=lambda: {1},
        progress_every=2,
    )
    assert [result is None for result in results] == [False, True, False]

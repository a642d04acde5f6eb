"""A race at toy size, without the packages of the extra `bench`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks import jobs, training_race
from benchmarks.crew import crews
from benchmarks.effort import QUICK, Trial
from benchmarks.gate import same_losses
from benchmarks.race import NoRace, Race, RefusedError
from benchmarks.shapes import SHAPES

pytestmark = pytest.mark.slow

TINY = SHAPES["tiny"]
TRIAL = Trial("tiny", members=3, steps=2, plain_steps=2)


@pytest.fixture(scope="module")
def workers() -> Iterator[Any]:
    with crews(2) as found:
        yield found


@pytest.fixture(scope="module")
def rows(workers: Any) -> Any:
    effort = dataclasses.replace(QUICK, rounds=1)
    return training_race.race(TRIAL, effort, workers)


def test_there_is_a_row_for_every_peer(rows: Any) -> None:
    first = [row.peer.split()[0].strip(",").lower() for row in rows]
    assert first == ["plain", "pytorch", "jax"]


def test_torch_peers_have_a_time(rows: Any) -> None:
    assert all(isinstance(row, Race) and row.ratio > 0 for row in rows[:2])


def test_jax_has_a_time_or_its_reason(rows: Any) -> None:
    row = rows[2]
    assert isinstance(row, Race) or (isinstance(row, NoRace) and "no jax" in row.reason)


def test_every_member_is_trained_once(workers: Any) -> None:
    way = training_race.on_each_core("", workers.single("torch"), jobs.ours, 3)
    assert sorted(way.losses(TINY, 2)) == [0, 1, 2]


def test_fleets_have_the_losses_of_solo_runs() -> None:
    together = jobs.fleets(TINY, 3, [0, 1, 2], 3).losses
    for losses, alone in zip(together, jobs.solo(TINY, 3, [0, 1, 2]).losses, strict=True):
        assert losses == pytest.approx(alone, rel=1e-4)  # float32 sums in another order


def test_a_peer_that_trains_something_else_has_no_time(workers: Any) -> None:
    single = workers.single("torch")
    ours = training_race.on_each_core("", single, jobs.ours, 1)
    other = dataclasses.replace(ours, work=jobs.masked, seeds=((7,),))
    mine, theirs = ours.losses(TINY, 2), other.losses(TINY, 2)
    with pytest.raises(RefusedError, match="loss curves differ"):
        same_losses(mine[0], theirs[7])

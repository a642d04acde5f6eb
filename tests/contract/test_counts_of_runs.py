"""Counts of runs by state add up, and say which states there are."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from rgcontract import ExperimentSpec, RunCounts, State
from rgcontract.status import Progress

SOME = RunCounts(queued=1, running=10, done=100, failed=1_000, cancelled=10_000)


def test_every_state_counts_once_in_the_total() -> None:
    assert SOME.total == 11_111


def test_of_both_together_is_the_sum_of_each_state() -> None:
    more = RunCounts(queued=2, running=20, done=200, failed=2_000, cancelled=20_000)
    assert SOME + more == RunCounts(queued=3, running=30, done=300, failed=3_000, cancelled=30_000)


def test_a_run_that_waits_or_is_measured_is_not_at_its_end() -> None:
    assert {state for state in State if not state.is_final} == {State.QUEUED, State.RUNNING}


def test_a_state_that_no_run_is_in_is_not_among_them() -> None:
    assert RunCounts(done=2, failed=1).states == {State.DONE, State.FAILED}
    assert RunCounts().states == frozenset()


@pytest.mark.parametrize("fraction", [0.0, 0.5, 1.0])
def test_progress_goes_from_nothing_to_all(fraction: float) -> None:
    assert _progress(fraction).fraction == fraction


@pytest.mark.parametrize("fraction", [-0.01, 1.01])
def test_no_progress_is_less_than_nothing_or_more_than_all(fraction: float) -> None:
    with pytest.raises(ValidationError, match="fraction"):
        _progress(fraction)


def _progress(fraction: float) -> Progress:
    return Progress(phase="training", fraction=fraction, step=1, steps=2, loss=None)


def test_runs_are_counted_as_they_are_made() -> None:
    spec = ExperimentSpec.model_validate({"chain": {"seeds": 3}, "seeds": [5, 7]})
    assert spec.n_runs == len(spec.runs) == 6

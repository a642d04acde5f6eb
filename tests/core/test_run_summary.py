from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from rgcore.statistics import RunSummary, summarise_runs


def over(values: Any, halves: Any = None, chains: Any = None) -> RunSummary:
    """Training seeds 0, 1, ... on one chain."""
    n = len(values)
    return summarise_runs(values, halves or [None] * n, chains=chains or [0] * n, confidence=0.95)


VALUES = np.random.default_rng(0).normal(size=(5, 3))  # (S, layers)


def test_mean_and_standard_error_are_those_of_the_seeds() -> None:
    summary = over(VALUES.tolist())
    error = VALUES.std(axis=0, ddof=1) / np.sqrt(5)
    # float64 sums in another order
    assert summary.mean == pytest.approx(VALUES.mean(axis=0).tolist(), rel=1e-12)
    assert summary.standard_error == pytest.approx(error.tolist(), rel=1e-12)


def test_interval_is_the_bootstrap_of_the_mean_at_95_percent() -> None:
    summary = over(VALUES.tolist())
    drawn = np.random.default_rng(1).integers(5, size=(100_000, 5))
    low, high = np.quantile(VALUES[drawn].mean(axis=1), [0.025, 0.975], axis=0)
    # 2000 resamples place a 2.5 % quantile to about 0.06 standard errors; 4 of those
    slack = 0.25 * VALUES.std(axis=0, ddof=1) / np.sqrt(5)
    assert (np.abs(summary.low - low) < slack).all()
    assert (np.abs(summary.high - high) < slack).all()


def test_with_several_chains_the_chains_are_what_is_sampled() -> None:
    summary = over([[1.0], [3.0], [6.0]], chains=[5, 5, 6])
    # chain means 2 and 6: mean 4, standard deviation sqrt(8), over sqrt(2)
    assert summary.mean == [4.0]
    assert summary.standard_error == pytest.approx([2.0], rel=1e-15)


def test_half_shift_is_the_mean_move_from_half_of_the_samples_to_all() -> None:
    assert over([[3.0], [5.0]], [[1.0], [4.0]]).half_shift == [1.5]


def test_half_shift_is_over_chains_where_the_mean_is() -> None:
    values, halves = [[1.0], [1.0], [1.0], [5.0]], [[0.0]] * 4
    summary = over(values, halves, chains=[0, 0, 0, 1])
    assert summary.mean == summary.half_shift == [3.0]  # of chains: 1 and 5


def test_half_shift_needs_the_half_of_every_run() -> None:
    assert over([[3.0], [5.0]], [[1.0], None]).half_shift is None


def test_one_seed_has_a_mean_and_no_error_bar() -> None:
    summary = over([[2.0, 3.0]])
    assert summary.mean == [2.0, 3.0]
    for numbers in (summary.standard_error, summary.low, summary.high):
        assert np.isnan(numbers).all()


def test_an_entry_undefined_in_one_seed_is_undefined_in_the_mean() -> None:
    nan = float("nan")
    summary = over([[1.0, 2.0, 3.0], [1.0, nan, nan], [1.0, 2.0, nan]])
    assert np.isnan(summary.mean).tolist() == [False, True, True]


def test_the_answer_is_plain_numbers() -> None:
    summary = over([[1.0], [2.0]])
    for numbers in (summary.mean, summary.standard_error, summary.low, summary.high):
        assert type(numbers) is list
        assert all(type(number) is float for number in numbers)


def test_it_needs_no_torch() -> None:
    imported = "rgcore.statistics, rgservice.experiments.results"
    code = f"import sys; sys.modules['torch'] = None; import {imported}"
    subprocess.run([sys.executable, "-c", code], check=True)

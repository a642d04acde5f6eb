from __future__ import annotations

import numpy as np
import pytest

from rgstore.records import Quantity, RunValues
from rgworker.summary import summarise


def quantity(
    values: list[float],
    *,
    half: list[float] | None = None,
    reasons: dict[str, list[int]] | None = None,
) -> Quantity:
    return Quantity(
        when="final",
        step=10,
        level="token",
        quantity="effective_rank",
        n_rows=7,
        estimator="plug-in",
        shape=[len(values)],
        values=values,
        half=half,
        reasons=reasons or {},
    )


def over(*of_run: Quantity) -> RunValues:
    """Training seeds 0, 1, ... on one chain."""
    return RunValues([(0, seed) for seed in range(len(of_run))], list(of_run))


VALUES = np.random.default_rng(0).normal(size=(5, 3))  # (S, layers)


def test_mean_and_standard_error_are_those_of_the_seeds():
    summary = summarise(over(*(quantity(row.tolist()) for row in VALUES)))
    error = VALUES.std(axis=0, ddof=1) / np.sqrt(5)
    # float64 sums in another order
    assert summary.mean == pytest.approx(VALUES.mean(axis=0).tolist(), rel=1e-12)
    assert summary.standard_error == pytest.approx(error.tolist(), rel=1e-12)


def test_interval_is_the_bootstrap_of_the_mean_at_95_percent():
    summary = summarise(over(*(quantity(row.tolist()) for row in VALUES)))
    drawn = np.random.default_rng(1).integers(5, size=(100_000, 5))
    low, high = np.quantile(VALUES[drawn].mean(axis=1), [0.025, 0.975], axis=0)
    # 2000 resamples place a 2.5 % quantile to about 0.06 standard errors; 4 of those
    slack = 0.25 * VALUES.std(axis=0, ddof=1) / np.sqrt(5)
    assert (np.abs(summary.low - low) < slack).all()
    assert (np.abs(summary.high - high) < slack).all()


def test_with_several_chains_the_chains_are_what_is_sampled():
    runs = [(5, 0), (5, 1), (6, 0)]
    summary = summarise(RunValues(runs, [quantity([1.0]), quantity([3.0]), quantity([6.0])]))
    # chain means 2 and 6: mean 4, standard deviation sqrt(8), over sqrt(2)
    assert summary.mean == [4.0]
    assert summary.standard_error == pytest.approx([2.0], rel=1e-15)


def test_half_shift_is_the_mean_move_from_half_of_the_samples_to_all():
    first, second = quantity([3.0], half=[1.0]), quantity([5.0], half=[4.0])
    assert summarise(over(first, second)).half_shift == [1.5]


def test_half_shift_is_over_chains_where_the_mean_is():
    runs = [quantity([value], half=[0.0]) for value in (1.0, 1.0, 1.0, 5.0)]
    summary = summarise(RunValues([(0, 0), (0, 1), (0, 2), (1, 0)], runs))
    assert summary.mean == summary.half_shift == [3.0]  # of chains: 1 and 5


def test_half_shift_needs_the_half_of_every_run():
    assert summarise(over(quantity([3.0], half=[1.0]), quantity([5.0]))).half_shift is None


def test_one_seed_has_a_mean_and_no_error_bar():
    summary = summarise(over(quantity([2.0, 3.0])))
    assert summary.mean == [2.0, 3.0]
    for numbers in (summary.standard_error, summary.low, summary.high):
        assert np.isnan(numbers).all()


def test_an_entry_undefined_in_one_seed_is_undefined_in_the_mean_with_its_reason():
    nan = float("nan")
    summary = summarise(
        over(
            quantity([1.0, 2.0, 3.0]),
            quantity([1.0, nan, nan], reasons={"constant": [2], "few_rows": [1]}),
            quantity([1.0, 2.0, nan], reasons={"constant": [2]}),
        )
    )
    assert np.isnan(summary.mean).tolist() == [False, True, True]
    assert summary.reasons == {"constant": [2], "few_rows": [1]}


def test_reasons_of_all_seeds_are_put_together_in_order():
    first, second = (
        quantity([0.0] * 4, reasons={"constant": [3]}),
        quantity([0.0] * 4, reasons={"constant": [1, 3]}),
    )
    assert summarise(over(first, second)).reasons == {"constant": [1, 3]}


def test_the_answer_is_plain_numbers():
    summary = summarise(over(quantity([1.0]), quantity([2.0])))
    for numbers in (summary.mean, summary.standard_error, summary.low, summary.high):
        assert type(numbers) is list
        assert all(type(number) is float for number in numbers)

from typing import Any

import numpy as np
import pytest

from rgcore.statistics import summarise


def test_mean_and_standard_error_are_the_textbook_ones() -> None:
    summary = summarise([1.0, 2.0, 6.0])
    assert summary.mean == 3.0
    # sample variance (4 + 1 + 9) / 2 = 7
    assert summary.standard_error == pytest.approx(np.sqrt(7 / 3), rel=1e-15)
    assert summary.n == 3


def test_shape_is_that_of_the_quantity() -> None:
    summary = summarise(np.zeros((4, 3, 2)))
    for array in (summary.mean, summary.standard_error, summary.low, summary.high):
        assert array.shape == (3, 2)


def test_interval_of_two_seeds_is_known_exactly() -> None:
    # resampled means are 0, 1/2, 1 with weights 1/4, 1/2, 1/4: 2.5 % and 97.5 % fall on the ends
    summary = summarise([0.0, 1.0])
    assert (float(summary.low), float(summary.high)) == (0.0, 1.0)
    # and the quartiles to either side of the median fall on 1/2
    middle = summarise([0.0, 1.0], confidence=0.4)
    assert (float(middle.low), float(middle.high)) == (0.5, 0.5)


def test_interval_of_many_seeds_is_the_normal_one() -> None:
    values = np.random.default_rng(0).normal(size=400)
    summary = summarise(values)
    half = 1.96 * summary.standard_error
    # 2000 resamples place a 2.5 % quantile to about 0.06 standard errors; 4 of those
    about = float(0.25 * summary.standard_error)
    assert summary.low == pytest.approx(summary.mean - half, abs=about)
    assert summary.high == pytest.approx(summary.mean + half, abs=about)


def test_wider_confidence_gives_a_wider_interval() -> None:
    values = np.random.default_rng(1).normal(size=20)
    wide, narrow = summarise(values, confidence=0.99), summarise(values, confidence=0.5)
    assert wide.low < narrow.low < narrow.high < wide.high


def test_equal_seeds_have_an_interval_of_no_width() -> None:
    summary = summarise(np.full((5, 2), 0.1))
    assert (summary.low == summary.mean).all()
    assert (summary.high == summary.mean).all()


def test_same_arguments_give_the_same_interval() -> None:
    values = np.random.default_rng(2).normal(size=(7, 3))
    np.testing.assert_array_equal(summarise(values).low, summarise(values).low)
    assert (summarise(values, seed=1).low != summarise(values, seed=2).low).any()


def test_entries_share_their_resamples() -> None:
    values = np.random.default_rng(3).normal(size=(7, 1))
    summary = summarise(np.hstack([values, 2.0 * values]))
    assert summary.high[1] == pytest.approx(2.0 * summary.high[0], rel=1e-12)  # rounding


def test_long_quantities_in_pieces_are_as_short_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(4).normal(size=(5, 23))
    whole = summarise(values)
    monkeypatch.setattr("rgcore.statistics.CHUNK_VALUES", 10_000)  # 5 columns at a time
    np.testing.assert_allclose(summarise(values).low, whole.low, rtol=0, atol=1e-15)  # rounding


def test_one_seed_has_a_mean_and_no_error() -> None:
    summary = summarise([[2.0, 3.0]])
    np.testing.assert_array_equal(summary.mean, [2.0, 3.0])
    for array in (summary.standard_error, summary.low, summary.high):
        assert np.isnan(array).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_entry_without_a_number_in_one_seed_is_nan_in_all(bad: Any) -> None:
    summary = summarise([[1.0, 1.0], [bad, 3.0], [1.0, 5.0]])
    for array in (summary.mean, summary.standard_error, summary.low, summary.high):
        assert np.isnan(array).tolist() == [True, False]


def test_quantity_without_entries_is_allowed() -> None:
    assert summarise(np.zeros((3, 0))).low.shape == (0,)


@pytest.mark.parametrize(
    ("values", "options"),
    [
        (1.0, {}),
        (np.zeros((0, 3)), {}),
        ([1.0, 2.0], {"confidence": 1.0}),
        ([1.0, 2.0], {"confidence": float("nan")}),
        ([1.0, 2.0], {"n_resamples": 0}),
    ],
)
def test_impossible_requests_are_refused(values: Any, options: Any) -> None:
    with pytest.raises(ValueError, match="allowed"):
        summarise(values, **options)


def test_rows_of_one_chain_are_as_without_groups() -> None:
    values = np.random.default_rng(5).normal(size=(6, 3))
    plain, grouped = summarise(values), summarise(values, groups=[7] * 6)
    for name in ("mean", "standard_error", "low", "high"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(grouped, name))
    assert (grouped.n, grouped.n_groups) == (6, 1)
    assert plain.over == grouped.over == "training seeds, chain fixed"


def test_several_chains_are_the_sample() -> None:
    # group means 2, 5, 11: mean 6, sample variance (16 + 1 + 25) / 2 = 21
    summary = summarise([1.0, 3.0, 5.0, 10.0, 11.0, 12.0], groups=[4, 4, 0, 9, 9, 9])
    assert summary.mean == 6.0
    assert summary.standard_error == pytest.approx(np.sqrt(21 / 3), rel=1e-15)
    assert (summary.n, summary.n_groups) == (6, 3)
    assert summary.over == "chains and training seeds"


def test_bootstrap_resamples_chains() -> None:
    # group means 0 and 1: resampled means 0, 1/2, 1 with weights 1/4, 1/2, 1/4
    summary = summarise([-3.0, 3.0, 1.0, 1.0], groups=[0, 0, 1, 1])
    assert (float(summary.low), float(summary.high)) == (0.0, 1.0)


def test_chains_keep_the_shape_and_the_missing_entries() -> None:
    values = np.ones((4, 2, 3))
    values[1, 0, 2] = np.nan
    summary = summarise(values, groups=[0, 0, 1, 1])
    assert summary.mean.shape == (2, 3)
    assert np.isnan(summary.mean).sum() == 1


def test_groups_are_one_per_seed() -> None:
    with pytest.raises(ValueError, match="allowed: 3, one per seed"):
        summarise([1.0, 2.0, 3.0], groups=[0, 1])

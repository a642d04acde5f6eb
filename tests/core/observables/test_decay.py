from typing import Any

import numpy as np
import pytest

from rgcore.observables import decay_length

EXACT = 1e-12
"""A line through a dozen logarithms of order one."""
LAGS = np.arange(13.0)


@pytest.mark.parametrize("xi", [0.6, 1.0, 3.0, 7.0, 100.0])
def test_exponential_decay_has_its_length(xi: float) -> None:
    found = decay_length(2.5 * np.exp(-LAGS / xi))
    assert found.length == pytest.approx(xi, rel=EXACT)
    assert found.code == ""


def test_what_falls_below_the_least_is_not_fitted() -> None:
    correlation = np.exp(-LAGS / 2.0)
    correlation[8:] = [3e-3, -2e-3, 1e-3, 0.5, 0.0]  # exp(-8 / 2) is the first below 0.02
    assert decay_length(correlation).length == pytest.approx(2.0, rel=EXACT)


def test_least_is_a_share_of_the_first() -> None:
    correlation = 100.0 * np.exp(-LAGS / 2.0)
    correlation[6:] = 1e-5  # exp(-5 / 2) is above 0.05, exp(-6 / 2) is not
    assert decay_length(correlation, least=0.05).length == pytest.approx(2.0, rel=EXACT)


def test_line_is_that_of_least_squares() -> None:
    correlation = np.exp(-LAGS / 5.0) * (1 + 0.1 * np.cos(LAGS))
    slope = np.polyfit(LAGS, np.log(correlation), 1)[0]
    assert decay_length(correlation).length == pytest.approx(-1 / slope, rel=1e-11)


def test_two_lags_above_the_least_are_enough() -> None:
    found = decay_length([1.0, 0.5, 0.25, 0.0])
    assert found.length == pytest.approx(1 / np.log(2), rel=EXACT)


@pytest.mark.parametrize("correlation", [[1.0, 0.01, 0.5, 0.4], [1.0, 0.5, 0.01], [1.0, -0.5, 0.3]])
def test_decay_within_a_lag_has_no_length(correlation: Any) -> None:
    found = decay_length(correlation)
    assert np.isnan(found.length)
    assert found.code == "decays_within_a_lag"


@pytest.mark.parametrize("correlation", [np.full(5, 0.3), np.arange(1.0, 6.0)])
def test_correlation_that_does_not_fall_has_no_length(correlation: Any) -> None:
    found = decay_length(correlation)
    assert np.isnan(found.length)
    assert found.code == "does_not_decay"


def test_fall_by_rounding_is_none() -> None:
    assert decay_length(0.3 * (1 - 1e-16 * LAGS)).code == "does_not_decay"


@pytest.mark.parametrize(
    "correlation", [[1.0, np.nan, 0.1], [np.inf, 1.0, 0.1], [0.0, 0.0, 0.0], [-1.0, 0.5, 0.2]]
)
def test_correlation_without_a_finite_share_has_no_length(correlation: Any) -> None:
    found = decay_length(correlation)
    assert np.isnan(found.length)
    assert found.code == "not_finite"


def test_stack_is_as_each_alone() -> None:
    stack = np.stack(
        [np.exp(-LAGS / 3), 1.0 / (1 + 1e3 * LAGS), np.ones(13), np.full(13, np.nan)]
    ).reshape(2, 2, 13)
    found = decay_length(stack)
    assert found.code.tolist() == [["", "decays_within_a_lag"], ["does_not_decay", "not_finite"]]
    np.testing.assert_allclose(found.length, [[3.0, np.nan], [np.nan, np.nan]], rtol=EXACT)


def test_fewer_than_three_lags_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(4, 2\)"):
        decay_length(np.ones((4, 2)))


@pytest.mark.parametrize("least", [0.0, 1.0, np.nan])
def test_least_out_of_range_is_refused(least: Any) -> None:
    with pytest.raises(ValueError, match="least is"):
        decay_length(np.ones(4), least)

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rgcore.observables import (
    RegressionMoments,
    ridge_r2_from_moments,
    ridge_r2_two_fold_from_moments,
)

ROUNDING = 1e-10
"""The penalty of 1e-6 lets eps grow by 1e6 in directions that do not vary."""


@pytest.fixture
def rng() -> Any:
    return np.random.default_rng(0)


Half = tuple[Any, Any]
"""Rows (n, d) and targets (n, q)."""


def moments(x: Any, y: Any) -> Any:
    """Of rows (..., n, d) and (..., n, q)."""
    mean_x, mean_y = x.mean(axis=-2), y.mean(axis=-2)
    x, y = x - mean_x[..., None, :], y - mean_y[..., None, :]
    return RegressionMoments(x.shape[-2], mean_x, mean_y, x.mT @ x, x.mT @ y, (y**2).sum(axis=-2))


def penalised(x: Any, y: Any, ridge: Any) -> Any:
    """Slopes and intercept by least squares on rows to which the penalty is appended."""
    d = x.shape[1]
    penalty = np.sqrt(ridge * x.var(axis=0).sum() * len(x) / d)
    design = np.hstack([x, np.ones((len(x), 1))])
    design = np.vstack([design, penalty * np.eye(d, d + 1)])
    return np.linalg.lstsq(design, np.vstack([y, np.zeros((d, y.shape[1]))]), rcond=None)[0]


def errors(train: Half, test: Half, ridge: float = 1e-6) -> Any:
    """Squared errors and squared deviations (q,) on the rows of the test half."""
    fit = penalised(*train, ridge)
    x, y = test
    missed = ((y - x @ fit[:-1] - fit[-1]) ** 2).sum(axis=0)
    return missed, ((y - y.mean(axis=0)) ** 2).sum(axis=0)


@pytest.fixture
def halves(rng: Any) -> tuple[Half, Half]:
    """Two halves of 40 and 50 rows, d = 6, q = 3: a target seen well, in part, and not at all."""
    x = rng.normal(size=(90, 6)) * np.arange(1, 7) + 2.0
    y = x @ rng.normal(size=(6, 3)) + rng.normal(size=(90, 3)) * np.array([0.1, 9.0, 1.0]) - 4.0
    y[:, 2] = rng.normal(size=90)
    return (x[:40], y[:40]), (x[40:], y[40:])


@pytest.mark.parametrize("ridge", [1e-6, 0.1, 10.0])
def test_is_what_least_squares_on_rows_gives(halves: tuple[Half, Half], ridge: float) -> None:
    missed, total = errors(*halves, ridge)
    found = ridge_r2_from_moments(moments(*halves[0]), moments(*halves[1]), ridge=ridge)
    assert found.shape == (3,)
    np.testing.assert_allclose(found, 1 - missed / total, rtol=ROUNDING)


def test_two_folds_are_averaged(halves: Any) -> None:
    first, second = halves
    there, back = ((1 - m / t) for m, t in (errors(first, second), errors(second, first)))
    found = ridge_r2_two_fold_from_moments(moments(*first), moments(*second))
    np.testing.assert_allclose(found, (there + back) / 2, rtol=ROUNDING)


def test_exact_linear_relation_is_found(rng: Any) -> None:
    x = rng.normal(size=(60, 4)) + 3.0
    y = x @ rng.normal(size=(4, 2)) + 7.0
    found = ridge_r2_from_moments(moments(x[:30], y[:30]), moments(x[30:], y[30:]))
    np.testing.assert_allclose(found, 1.0, rtol=0, atol=1e-11)  # the square of the penalty
    assert found.max() <= 1.0


def test_target_that_has_no_relation_scores_below_zero(rng: Any) -> None:
    d, n = 10, 1000
    found = [
        ridge_r2_two_fold_from_moments(
            *(moments(rng.normal(size=(n, d)), rng.normal(size=(n, 20))) for _ in range(2))
        )
        for _ in range(5)
    ]
    # -(d + 1) / n; scatter 0.004 of each of 100 targets
    assert np.mean(found) == pytest.approx(-(d + 1) / n, abs=0.002)


def test_shift_of_the_mean_between_the_halves_counts_as_error(rng: Any) -> None:
    # y does not depend on x: the read-out says the mean of the first half
    x, y = rng.normal(size=(2000, 1)), rng.normal(size=(2000, 1))
    shifted = moments(x[1000:], y[1000:] + 2.0)
    # SSE / SST = 1 + 4 with a scatter of 4 sqrt(2) (1 / sqrt(1000)) and of the penalised slope
    assert ridge_r2_from_moments(moments(x[:1000], y[:1000]), shifted) == pytest.approx(-4, abs=0.6)


def test_is_blind_to_rotation_scale_and_offset_of_the_layer(halves: Any, rng: Any) -> None:
    (x, y), (u, v) = halves
    turn = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    expected = ridge_r2_from_moments(moments(x, y), moments(u, v))
    found = ridge_r2_from_moments(
        moments(3.0 * x @ turn + 1.0, y), moments(3.0 * u @ turn + 1.0, v)
    )
    np.testing.assert_allclose(found, expected, rtol=ROUNDING)


def test_layer_that_does_not_use_all_its_directions_is_fitted(rng: Any) -> None:
    x = rng.normal(size=(60, 2)) @ rng.normal(size=(2, 8))
    y = x[:, :1] + 0.1 * rng.normal(size=(60, 1))
    first, second = (x[:30], y[:30]), (x[30:], y[30:])
    missed, total = errors(first, second)
    found = ridge_r2_from_moments(moments(*first), moments(*second))
    np.testing.assert_allclose(found, 1 - missed / total, rtol=1e-8)


def test_stack_is_as_each_alone(rng: Any) -> None:
    x, y = rng.normal(size=(3, 60, 4)), rng.normal(size=(3, 60, 2))
    train, test = moments(x[:, :30], y[:, :30]), moments(x[:, 30:], y[:, 30:])
    together = ridge_r2_from_moments(train, test)
    assert together.shape == (3, 2)
    for index in range(3):
        missed, total = errors((x[index, :30], y[index, :30]), (x[index, 30:], y[index, 30:]))
        np.testing.assert_allclose(together[index], 1 - missed / total, rtol=ROUNDING)


@pytest.mark.parametrize("constant", [0, 1])
def test_target_that_does_not_vary_in_a_half_is_nan_alone(halves: Any, constant: int) -> None:
    parts = [moments(*half) for half in halves]
    part = parts[constant]
    parts[constant] = replace(
        part, power_y=part.power_y * [1, 0, 1], gram_xy=part.gram_xy * [1, 0, 1]
    )
    found = ridge_r2_two_fold_from_moments(*parts)
    np.testing.assert_array_equal(np.isnan(found), [False, True, False])


@pytest.mark.parametrize("constant", [0, 1])
def test_layer_that_does_not_vary_in_a_half_is_nan(halves: Any, constant: int) -> None:
    parts = [moments(*half) for half in halves]
    part = parts[constant]
    parts[constant] = replace(part, gram_xx=0 * part.gram_xx, gram_xy=0 * part.gram_xy)
    assert np.isnan(ridge_r2_two_fold_from_moments(*parts)).all()


@pytest.mark.parametrize("name", ["mean_x", "mean_y", "gram_xx", "gram_xy", "power_y"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_moment_that_is_not_finite_is_nan_and_leaves_its_neighbours(
    rng: Any, name: str, bad: Any
) -> None:
    x, y = rng.normal(size=(2, 60, 4)), rng.normal(size=(2, 60, 2))
    train, test = moments(x[:, :30], y[:, :30]), moments(x[:, 30:], y[:, 30:])
    expected = ridge_r2_from_moments(train, test)
    spoilt = getattr(test, name).copy()
    spoilt[0] = bad
    found = ridge_r2_two_fold_from_moments(train, replace(test, **{name: spoilt}))
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1]).all()
    found = ridge_r2_from_moments(train, replace(test, **{name: spoilt}))
    np.testing.assert_array_equal(found[1], expected[1])


def test_half_of_one_row_is_nan(halves: Any) -> None:
    few = moments(halves[0][0][:1], halves[0][1][:1])
    assert np.isnan(ridge_r2_from_moments(few, moments(*halves[1]))).all()


@pytest.mark.parametrize("ridge", [0.0, -1.0, np.nan])
def test_ridge_out_of_range_is_refused(halves: Any, ridge: Any) -> None:
    parts = [moments(*half) for half in halves]
    with pytest.raises(ValueError, match="ridge is"):
        ridge_r2_from_moments(*parts, ridge=ridge)

from typing import Any

import numpy as np
import pytest
import torch

from rgcore.measurement.reasons import REASONS
from rgcore.measurement.regression import Regression, two_fold_r2

CPU = torch.device("cpu")
EPSILON = float(np.finfo(np.float64).eps)
ALL = (np.arange(2),)


def gathered(layers: Any, targets: Any, folds: Any) -> Any:
    """Of K layers (n, d) and (n, q) targets; folds: how many rows each, in one batch or two."""
    regression = Regression(len(folds), len(layers), layers[0].shape[1], targets.shape[1], CPU)
    begin = 0
    for fold, size in enumerate(folds):
        for part in np.array_split(np.arange(begin, begin + size), 2):
            regression.begin(fold, torch.from_numpy(targets[part]))
            for layer, rows in enumerate(layers):
                regression.add(fold, layer, torch.from_numpy(rows[part]))
        begin += size
    return regression


def naive(x: Any, y: Any, half: Any) -> Any:
    """Ridge on rows, both ways; SSE and SST summed over the targets."""
    found = []
    for train, test in ((slice(half), slice(half, None)), (slice(half, None), slice(half))):
        centre_x, centre_y = x[train].mean(axis=0), y[train].mean(axis=0)
        a, b = x[train] - centre_x, y[train] - centre_y
        penalty = 1e-6 * (a**2).sum() / a.shape[1]
        weights = np.linalg.solve(a.T @ a + penalty * np.eye(a.shape[1]), a.T @ b)
        missed = y[test] - centre_y - (x[test] - centre_x) @ weights
        spread = y[test] - y[test].mean(axis=0)
        found.append(1 - (missed**2).sum() / (spread**2).sum())
    return np.mean(found)


def reason(code: Any) -> Any:
    return REASONS[code - 1]


@pytest.fixture
def rng() -> Any:
    return np.random.default_rng(0)


def test_is_the_ridge_of_the_rows(rng: Any) -> None:
    x = [rng.normal(size=(60, 4)) + 5.0, rng.normal(size=(60, 4)) * 3.0]
    y = x[0][:, :2] + x[1][:, 1:3] + rng.normal(size=(60, 2)) - 7.0
    regression = gathered(x, y, (10, 15, 20, 15))
    found = two_fold_r2(regression.moments((0, 1)), regression.moments((2, 3)), ALL)
    wanted = [naive(layer, y, 25) for layer in x]
    np.testing.assert_allclose(found[:, 0], wanted, rtol=1e-9)  # 60 rows, mean over spread 7


def test_groups_of_targets_are_scored_apart(rng: Any) -> None:
    x = [rng.normal(size=(60, 4))]
    y = x[0][:, :2] + rng.normal(size=(60, 2)) * np.array([0.1, 3.0])
    regression = gathered(x, y, (30, 30))
    first, second = regression.moments((0,)), regression.moments((1,))
    found = two_fold_r2(first, second, (np.array([0]), np.array([1])))
    np.testing.assert_allclose(
        found[0], [naive(x[0], y[:, [0]], 30), naive(x[0], y[:, [1]], 30)], rtol=1e-9
    )


def test_a_linear_teacher_is_found_up_to_its_noise(rng: Any) -> None:
    x = [rng.normal(size=(20_000, 6))]
    y = x[0] @ rng.normal(size=(6, 2)) / np.sqrt(6) + 0.5 * rng.normal(size=(20_000, 2))
    regression = gathered(x, y, (10_000, 10_000))
    found = two_fold_r2(regression.moments((0,)), regression.moments((1,)), ALL)
    ceiling = 1 - 2 * 0.25 / y.var(axis=0).sum()
    assert found[0, 0] == pytest.approx(ceiling, abs=0.01)  # noise variance known to 1 / sqrt(n)


def test_noise_is_not_read(rng: Any) -> None:
    x, y = [rng.normal(size=(4000, 5))], rng.normal(size=(4000, 2))
    regression = gathered(x, y, (2000, 2000))
    found = two_fold_r2(regression.moments((0,)), regression.moments((1,)), ALL)
    assert -0.01 < found[0, 0] < 0.005  # about -d / n


def test_a_target_that_does_not_vary_counts_for_nothing(rng: Any) -> None:
    x = [rng.normal(size=(60, 4))]
    y = np.concatenate([x[0][:, :1] + rng.normal(size=(60, 1)), np.full((60, 1), 0.1)], axis=1)
    regression = gathered(x, y, (30, 30))
    found = two_fold_r2(regression.moments((0,)), regression.moments((1,)), ALL)
    assert found[0, 0] == pytest.approx(naive(x[0], y[:, :1], 30), rel=1e-9)


def test_targets_of_rounding_alone_have_none(rng: Any) -> None:
    x, y = [rng.normal(size=(60, 4))], 0.3 + 1e-16 * rng.integers(0, 2, size=(60, 2))
    regression = gathered(x, y, (30, 30))
    assert np.isnan(two_fold_r2(regression.moments((0,)), regression.moments((1,)), ALL)).all()


def test_layers_without_a_read_out_say_why(rng: Any) -> None:
    x = [rng.normal(size=(60, 4)), np.full((60, 4), 0.1), rng.normal(size=(60, 4))]
    x[2][7, 1] = np.nan
    y = rng.normal(size=(60, 2))
    regression = gathered(x, y, (30, 30))
    found = two_fold_r2(regression.moments((0,)), regression.moments((1,)), ALL)
    assert np.isnan(found[:, 0]).tolist() == [False, True, True]
    codes = regression.codes((0, 1), EPSILON).tolist()
    assert codes[0] == 0
    assert [reason(code) for code in codes[1:]] == ["constant_layer", "not_finite"]


@pytest.mark.parametrize(("n", "enough"), [(15, False), (16, True)])
def test_four_rows_per_dimension_are_needed(rng: Any, n: int, enough: bool) -> None:
    regression = gathered([rng.normal(size=(n, 4))], rng.normal(size=(n, 2)), (8, n - 8))
    codes = regression.codes((0, 1), EPSILON).tolist()
    assert codes == [0] if enough else reason(codes[0]) == "too_few_rows"


def test_more_dimensions_than_rank_are_read(rng: Any) -> None:
    thin = rng.normal(size=(200, 2))
    x = [thin @ rng.normal(size=(2, 6))]  # singular without the ridge
    regression = gathered(x, thin, (100, 100))
    found = two_fold_r2(regression.moments((0,)), regression.moments((1,)), ALL)
    assert found[0, 0] == pytest.approx(1.0, abs=1e-9)  # ridge of 1e-6 of the variance, squared

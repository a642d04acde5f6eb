from typing import Any

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes
from scipy.spatial import procrustes

from rgcore.observables import procrustes_distance, procrustes_distance_from_moments

ROUNDING = 1e-12
"""Sums of 40 products of order one."""


@pytest.fixture
def rng() -> Any:
    return np.random.default_rng(0)


@pytest.fixture
def layers(rng: Any) -> Any:
    x = rng.normal(size=(40, 5)) + 2.0
    return x, x @ rng.normal(size=(5, 5)) + rng.normal(size=(40, 5))


def normalised(x: Any) -> Any:
    x = x - x.mean(axis=0)
    return x / np.linalg.norm(x)


def grams(x: Any, y: Any) -> Any:
    x, y = (z - z.mean(axis=-2, keepdims=True) for z in (x, y))
    return x.mT @ x, y.mT @ y, x.mT @ y


def test_is_what_the_best_rotation_leaves(layers: Any) -> None:
    x, y = map(normalised, layers)
    turn, _ = orthogonal_procrustes(y, x)
    expected = np.linalg.norm(x - y @ turn)
    assert procrustes_distance(*layers) == pytest.approx(expected, rel=ROUNDING)


def test_agrees_with_the_disparity_of_scipy(layers: Any) -> None:
    # which also scales Y by the sum of singular values c: 1 - c^2 is left
    disparity = procrustes(*layers)[2]
    expected = np.sqrt(2 - 2 * np.sqrt(1 - disparity))
    assert procrustes_distance(*layers) == pytest.approx(expected, rel=ROUNDING)


def test_no_rotation_leaves_less(layers: Any, rng: Any) -> None:
    x, y = map(normalised, layers)
    found = procrustes_distance(x, y)
    for _ in range(20):
        turn = np.linalg.qr(rng.normal(size=(5, 5)))[0]
        assert found <= np.linalg.norm(x - y @ turn)


def test_narrower_layer_is_padded_with_zeros(layers: Any) -> None:
    x, y = layers
    padded = np.hstack([y[:, :2], np.zeros((40, 3))])
    expected = procrustes_distance(x, padded)
    assert procrustes_distance(x, y[:, :2]) == pytest.approx(expected, rel=ROUNDING)


def test_is_blind_to_rotation_scale_and_offset(layers: Any, rng: Any) -> None:
    x, y = layers
    turn = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    expected = procrustes_distance(x, y)
    assert procrustes_distance(-3.0 * x @ turn + 5.0, y) == pytest.approx(expected, rel=ROUNDING)
    assert procrustes_distance(1e-150 * x, 1e150 * y) == pytest.approx(expected, rel=ROUNDING)


def test_layer_is_at_no_distance_from_itself(layers: Any) -> None:
    assert procrustes_distance(layers[0], layers[0]) <= 3e-8  # the square root of rounding


def test_layers_that_share_nothing_are_at_the_root_of_two() -> None:
    x = np.array([[1.0], [-1.0], [1.0], [-1.0]])
    y = np.array([[1.0], [1.0], [-1.0], [-1.0]])
    assert procrustes_distance(x, y) == pytest.approx(np.sqrt(2), rel=1e-15)


def test_known_singular_values() -> None:
    # X = U, Y = U diag(3, 4): 1 - (3 + 4) / (sqrt(2) 5) is left, twice
    u = np.array([[1.0, 1.0], [-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]]) / 2
    expected = np.sqrt(2 - 2 * 7 / (5 * np.sqrt(2)))
    assert procrustes_distance(u, u * [3.0, 4.0]) == pytest.approx(expected, rel=ROUNDING)


def test_obeys_the_triangle_inequality(rng: Any) -> None:
    for _ in range(20):
        x, y, z = rng.normal(size=(3, 6, 2))
        assert procrustes_distance(x, z) <= procrustes_distance(x, y) + procrustes_distance(y, z)


def test_stack_of_gram_matrices_is_as_each_alone(rng: Any) -> None:
    x, y = rng.normal(size=(3, 20, 4)), rng.normal(size=(3, 20, 6))
    together = procrustes_distance_from_moments(*grams(x, y))
    assert together.shape == (3,)
    for index in range(3):
        expected = procrustes_distance(x[index], y[index])
        assert together[index] == pytest.approx(expected, rel=ROUNDING)


@pytest.mark.parametrize(
    "bad", [np.full((40, 3), 0.1), np.full((40, 3), np.nan), np.full((40, 3), np.inf)]
)
def test_degenerate_layers_are_nan(layers: Any, bad: Any) -> None:
    assert np.isnan(procrustes_distance(layers[0], bad))
    assert np.isnan(procrustes_distance(bad, layers[0]))


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_degenerate_gram_matrices_are_nan_and_leave_their_neighbours(bad: Any) -> None:
    stack = np.stack([np.full((2, 2), bad), np.eye(2)])
    good = np.stack([np.eye(2), np.eye(2)])
    for found in (
        procrustes_distance_from_moments(stack, good, stack),
        procrustes_distance_from_moments(good, stack, good),
    ):
        assert np.isnan(found[0])
        assert found[1] <= 3e-8


def test_layers_of_different_samples_are_refused(layers: Any) -> None:
    with pytest.raises(ValueError, match="40 rows against 39"):
        procrustes_distance(layers[0], layers[1][1:])

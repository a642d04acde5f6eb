from typing import Any

import numpy as np
import pytest
from scipy.linalg import subspace_angles

from rgcore.observables import subspace_angle, subspace_angle_from_moments

ROUNDING = 1e-9
"""Of angles far from 0: the condition of the leading components, below 100, times eps."""


@pytest.fixture
def rng() -> Any:
    return np.random.default_rng(0)


def by_samples(x: Any, y: Any, held: float = 0.9) -> Any:
    """scipy's angles between the subspaces that singular vectors of the rows span."""
    (u, s, _), (w, z, _) = (np.linalg.svd(m - m.mean(axis=0), full_matrices=False) for m in (x, y))
    share = np.cumsum(s**2) / (s**2).sum()
    k = min(int(np.argmax(share >= held)) + 1, int((z > 1e-10 * z[0]).sum()))
    return subspace_angles(u[:, :k], w[:, :k]).mean()


def grams(x: Any, y: Any) -> Any:
    x, y = (z - z.mean(axis=-2, keepdims=True) for z in (x, y))
    return x.mT @ x, y.mT @ y, x.mT @ y


def columns(*angles: Any) -> Any:
    """(8, 2k) orthonormal columns of mean zero: pairs that turn into each other by angles."""
    u = np.linalg.qr(np.hstack([np.ones((8, 1)), np.random.default_rng(1).normal(size=(8, 6))]))[0]
    k = len(angles)
    before, beside = u[:, 1 : k + 1], u[:, k + 1 : 2 * k + 1]
    return before, before * np.cos(angles) + beside * np.sin(angles)


def test_agrees_with_scipy_on_the_singular_vectors(rng: Any) -> None:
    x = rng.normal(size=(50, 8)) * 1.5 ** -np.arange(8) + 3.0
    y = x @ rng.normal(size=(8, 6)) + 0.5 * rng.normal(size=(50, 6))
    assert subspace_angle(x, y) == pytest.approx(by_samples(x, y), rel=ROUNDING)


@pytest.mark.parametrize("held", [0.3, 0.99, 1.0])
def test_agrees_with_scipy_for_any_share(rng: Any, held: float) -> None:
    x = rng.normal(size=(50, 5)) * 1.5 ** -np.arange(5)
    y = x @ rng.normal(size=(5, 6)) + 0.5 * rng.normal(size=(50, 6))
    expected = by_samples(x, y, held - 1e-12)  # the last component holds what rounding leaves
    assert subspace_angle(x, y, held=held) == pytest.approx(expected, rel=ROUNDING)


@pytest.mark.parametrize("angles", [(0.3, 0.7), (0.1, np.pi / 2), (1.2, 1.3, 0.4)])
def test_known_angles_are_averaged(angles: Any) -> None:
    x, y = columns(*angles)
    found = subspace_angle(x, y)
    assert found == pytest.approx(np.mean(angles), abs=3e-8)  # cos(pi / 2) is not told from eps


def test_number_of_components_is_that_of_the_earlier_layer() -> None:
    x, y = columns(0.3, 0.7)
    x, y = x * [10.0, 1.0], y * [10.0, 8.0]  # x holds 99 % in one, y needs two
    assert subspace_angle(x, y) == pytest.approx(0.3, rel=ROUNDING)
    assert subspace_angle(y, x) == pytest.approx(0.5, rel=ROUNDING)


def test_share_that_is_reached_exactly_adds_no_component() -> None:
    x, y = columns(0.3, 0.7)
    x, y = x * [3.0, 1.0], y * [3.0, 1.0]  # 9 parts of 10
    assert subspace_angle(x, y) == pytest.approx(0.3, rel=ROUNDING)


def test_later_layer_of_lower_rank_limits_the_number_of_components() -> None:
    x, y = columns(0.3, 0.7)
    assert subspace_angle(x * [2.0, 1.9], y[:, :1]) == pytest.approx(0.3, rel=ROUNDING)


def test_layer_has_not_turned_from_itself(rng: Any) -> None:
    x = rng.normal(size=(50, 8))
    assert subspace_angle(x, x) <= 1e-7  # the square root of rounding


def test_is_blind_to_rotation_scale_and_offset(rng: Any) -> None:
    x, y = rng.normal(size=(50, 5)) * np.arange(1, 6), rng.normal(size=(50, 6)) * np.arange(1, 7)
    turn = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    expected = subspace_angle(x, y)
    assert subspace_angle(-3.0 * x @ turn + 5.0, y) == pytest.approx(expected, rel=ROUNDING)
    assert subspace_angle(1e-150 * x, 1e150 * y) == pytest.approx(expected, rel=ROUNDING)


def test_stack_is_as_each_alone_though_the_number_of_components_differs(rng: Any) -> None:
    scale = np.array([np.ones(4), [10.0, 1, 1, 1], [3.0, 3, 1, 1]])[:, None]
    x, y = rng.normal(size=(3, 30, 4)) * scale, rng.normal(size=(3, 30, 6))
    together = subspace_angle_from_moments(*grams(x, y))
    assert together.shape == (3,)
    for index in range(3):
        expected = by_samples(x[index], y[index])
        assert together[index] == pytest.approx(expected, rel=ROUNDING)


@pytest.mark.parametrize(
    "bad", [np.full((20, 3), 0.1), np.full((20, 3), np.nan), np.full((20, 3), np.inf)]
)
def test_degenerate_layers_are_nan(rng: Any, bad: Any) -> None:
    good = rng.normal(size=(20, 4))
    assert np.isnan(subspace_angle(good, bad))
    assert np.isnan(subspace_angle(bad, good))


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_degenerate_gram_matrices_are_nan_and_leave_their_neighbours(bad: Any) -> None:
    stack = np.stack([np.full((2, 2), bad), np.eye(2)])
    good = np.stack([np.eye(2), np.eye(2)])
    for found in (
        subspace_angle_from_moments(stack, good, stack),
        subspace_angle_from_moments(good, stack, good),
    ):
        assert np.isnan(found[0])
        assert found[1] == 0.0


@pytest.mark.parametrize("held", [0.0, 1.1, np.nan])
def test_share_out_of_range_is_refused(rng: Any, held: Any) -> None:
    with pytest.raises(ValueError, match="held is"):
        subspace_angle(rng.normal(size=(5, 2)), rng.normal(size=(5, 2)), held=held)


def test_layers_of_different_samples_are_refused(rng: Any) -> None:
    with pytest.raises(ValueError, match="10 rows against 9"):
        subspace_angle(rng.normal(size=(10, 2)), rng.normal(size=(9, 2)))

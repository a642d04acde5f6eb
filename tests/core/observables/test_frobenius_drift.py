from typing import Any

import numpy as np
import pytest

from rgcore.observables import frobenius_drift, frobenius_drift_from_cka

ROUNDING = 1e-12
"""Sums of 40 products of order one."""


@pytest.fixture
def rng() -> Any:
    return np.random.default_rng(0)


def by_samples(x: Any, y: Any) -> Any:
    """The distance of the normalised n x n Gram matrices."""
    centring = np.eye(len(x)) - 1 / len(x)
    k, m = (centring @ z @ z.T @ centring for z in (x, y))
    return np.linalg.norm(k / np.linalg.norm(k) - m / np.linalg.norm(m))


def test_is_the_distance_of_the_normalised_gram_matrices(rng: Any) -> None:
    x = rng.normal(size=(40, 6)) + 2.0
    y = x[:, :3] + 0.5 * rng.normal(size=(40, 3))
    assert frobenius_drift(x, y) == pytest.approx(by_samples(x, y), rel=ROUNDING)


def test_obeys_the_triangle_inequality(rng: Any) -> None:
    for _ in range(20):
        x, y, z = rng.normal(size=(3, 6, 2))
        assert frobenius_drift(x, z) <= frobenius_drift(x, y) + frobenius_drift(y, z)


def test_layer_has_not_drifted_from_itself(rng: Any) -> None:
    x = rng.normal(size=(40, 6))
    assert frobenius_drift(x, x) <= 3e-8  # the square root of rounding


def test_layers_that_share_nothing_are_at_the_root_of_two() -> None:
    x = np.array([[1.0], [-1.0], [1.0], [-1.0]])
    y = np.array([[1.0], [1.0], [-1.0], [-1.0]])
    assert frobenius_drift(x, y) == pytest.approx(np.sqrt(2), rel=1e-15)


def test_alignments_of_any_shape_are_taken() -> None:
    found = frobenius_drift_from_cka([[1.0, 0.5], [0.0, np.nan]])
    np.testing.assert_allclose(found, [[0.0, 1.0], [np.sqrt(2), np.nan]], rtol=1e-15)


def test_alignment_above_one_by_rounding_is_no_drift() -> None:
    assert frobenius_drift_from_cka(1.0 + 1e-15) == 0.0


def test_constant_layer_is_nan(rng: Any) -> None:
    assert np.isnan(frobenius_drift(np.ones((10, 2)), rng.normal(size=(10, 2))))


def test_layers_of_different_samples_are_refused(rng: Any) -> None:
    with pytest.raises(ValueError, match="10 rows against 9"):
        frobenius_drift(rng.normal(size=(10, 2)), rng.normal(size=(9, 2)))

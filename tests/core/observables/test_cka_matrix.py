from typing import Any

import numpy as np
import pytest

from rgcore.observables import (
    cka_matrix_debiased_from_moments,
    cka_matrix_from_moments,
    linear_cka,
    linear_cka_debiased,
)

ROUNDING = 1e-12
"""Sums of some hundred products of order one, of which a tenth is left by the subtraction."""


def stream(n: int = 30, n_layers: int = 4, d: int = 5, seed: int = 0) -> Any:
    """(K, n, d) layers, each a step from the last."""
    return np.random.default_rng(seed).normal(size=(n_layers, n, d)).cumsum(axis=0) + 1.0


def moments(layers: Any) -> tuple[Any, Any, Any]:
    """norms2 and quartic (K, K), and power (K,)."""
    layers = layers - layers.mean(axis=1, keepdims=True)
    norms2 = np.array([[((x.T @ y) ** 2).sum() for y in layers] for x in layers])
    length = (layers**2).sum(axis=-1)  # (K, n)
    return norms2, length @ length.T, length.sum(axis=1)


def debiased(layers: Any) -> Any:
    return cka_matrix_debiased_from_moments(*moments(layers), layers.shape[1])


def pairs(measure: Any, layers: Any) -> Any:
    return np.array([[measure(x, y) for y in layers] for x in layers])


def test_is_the_alignment_of_every_pair() -> None:
    found = cka_matrix_from_moments(moments(stream())[0])
    np.testing.assert_allclose(found, pairs(linear_cka, stream()), rtol=ROUNDING)
    assert found.max() <= 1.0


def test_debiased_is_the_debiased_alignment_of_every_pair() -> None:
    expected = pairs(linear_cka_debiased, stream())
    np.testing.assert_allclose(debiased(stream()), expected, rtol=ROUNDING)


@pytest.mark.parametrize("matrix", [lambda x: cka_matrix_from_moments(moments(x)[0]), debiased])
def test_drift_is_read_off_the_first_superdiagonal(matrix: Any) -> None:
    layers = stream()
    layers[2] = 3.0 * layers[1] + 5.0
    drift = 1 - np.diagonal(matrix(layers), 1, axis1=-2, axis2=-1)
    assert drift.shape == (3,)
    assert drift[1] == pytest.approx(0.0, abs=ROUNDING)
    assert drift.max() > 0.01


def test_stacks_are_as_each_alone() -> None:
    stacks = [stream(seed=seed) for seed in range(3)]
    norms2, quartic, power = (np.array(part) for part in zip(*map(moments, stacks), strict=True))
    together = cka_matrix_debiased_from_moments(norms2, quartic, power, np.full(3, 30))
    plain = cka_matrix_from_moments(norms2)
    assert together.shape == plain.shape == (3, 4, 4)
    for index, layers in enumerate(stacks):
        np.testing.assert_allclose(together[index], debiased(layers), rtol=ROUNDING)
        np.testing.assert_allclose(
            plain[index], cka_matrix_from_moments(norms2[index]), rtol=ROUNDING
        )


@pytest.mark.parametrize("bad", [0.1, np.nan])
def test_layer_that_is_degenerate_is_nan_against_all_and_leaves_the_others(bad: Any) -> None:
    layers = stream()
    layers[1] = bad
    layers_left = [0, 2, 3]
    norms2, quartic, power = moments(layers)
    if bad == 0.1:  # as a stream that takes a reference row off has it
        for array in (norms2, quartic):
            array[1] = array[:, 1] = 0.0
        power[1] = 0.0
    for found, expected in [
        (cka_matrix_from_moments(norms2), pairs(linear_cka, layers[layers_left])),
        (
            cka_matrix_debiased_from_moments(norms2, quartic, power, 30),
            pairs(linear_cka_debiased, layers[layers_left]),
        ),
    ]:
        assert np.isnan(found[1]).all()
        assert np.isnan(found[:, 1]).all()
        np.testing.assert_allclose(found[np.ix_(layers_left, layers_left)], expected, rtol=ROUNDING)


def test_infinite_moments_are_nan() -> None:
    assert np.isnan(cka_matrix_from_moments(np.full((2, 2), np.inf))).all()


def test_pair_that_is_not_known_is_nan_alone() -> None:
    norms2, quartic, power = moments(stream())
    norms2[0, 3] = norms2[3, 0] = np.nan
    expected = np.zeros((4, 4), dtype=bool)
    expected[0, 3] = expected[3, 0] = True
    np.testing.assert_array_equal(np.isnan(cka_matrix_from_moments(norms2)), expected)
    found = cka_matrix_debiased_from_moments(norms2, quartic, power, 30)
    np.testing.assert_array_equal(np.isnan(found), expected)


def test_three_rows_have_no_debiased_matrix() -> None:
    assert np.isnan(debiased(stream(n=3))).all()

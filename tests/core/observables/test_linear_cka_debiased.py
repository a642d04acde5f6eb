from itertools import permutations, product
from typing import Any

import numpy as np
import pytest
import torch
from cka import hsic

from rgcore.observables import (
    linear_cka,
    linear_cka_debiased,
    linear_cka_debiased_from_moments,
)
from rgcore.observables.unbiased import unbiased_overlap

ROUNDING = 1e-12
"""Sums of some hundred products of order one, of which a tenth is left by the subtraction."""


@pytest.fixture
def rng() -> Any:
    return np.random.default_rng(0)


@pytest.fixture
def layers(rng: Any) -> Any:
    """Two layers that share part of what they see."""
    x = rng.normal(size=(60, 7)) + 1.0
    return x, x[:, :4] @ rng.normal(size=(4, 5)) + rng.normal(size=(60, 5))


def moments(x: Any, y: Any) -> Any:
    """(..., n, d) and (..., n, e) rows to the arguments of `..._from_moments`."""
    n = x.shape[-2]
    x, y = x - x.mean(axis=-2, keepdims=True), y - y.mean(axis=-2, keepdims=True)
    a, b = (x**2).sum(axis=-1), (y**2).sum(axis=-1)
    quartic = (a * a).sum(axis=-1), (b * b).sum(axis=-1), (a * b).sum(axis=-1)
    return x.mT @ x, y.mT @ y, x.mT @ y, *quartic, n


def hsic_1(x: Any, y: Any) -> Any:
    """Song et al. 2012, equation 4, on Gram matrices of the samples without their diagonals."""
    n = len(x)
    k, m = ((z @ z.T) * (1 - np.eye(n)) for z in (x, y))
    one = np.ones(n)
    of_sums = (one @ k @ one) * (one @ m @ one) / ((n - 1) * (n - 2))
    return (np.trace(k @ m) + of_sums - 2 / (n - 2) * (one @ k @ m @ one)) / (n * (n - 3))


def by_samples(x: Any, y: Any) -> Any:
    return hsic_1(x, y) / np.sqrt(hsic_1(x, x) * hsic_1(y, y))


def test_is_the_alignment_of_the_gram_matrices_without_their_diagonals(layers: Any) -> None:
    found = linear_cka_debiased(*layers)
    assert found == pytest.approx(by_samples(*layers), rel=ROUNDING)
    assert 0.1 < found < 0.95


def test_agrees_with_the_package_pytorch_cka(layers: Any) -> None:
    x, y = (torch.tensor(layer)[None] for layer in layers)
    shared, own_x, own_y = hsic(x @ x.mT, y @ y.mT)
    expected = (shared[0, 0] / (own_x[0] * own_y[0]).sqrt()).item()
    assert linear_cka_debiased(*layers) == pytest.approx(expected, rel=ROUNDING)


def test_fewer_rows_than_dimensions_agree_with_the_definition(rng: Any) -> None:
    x, y = rng.normal(size=(6, 20)), rng.normal(size=(6, 30))
    assert linear_cka_debiased(x, y) == pytest.approx(by_samples(x, y), rel=1e-10)


def test_hsic_is_the_mean_over_distinct_rows_of_products_of_differences(rng: Any) -> None:
    x, y = rng.normal(size=(7, 2)), rng.normal(size=(7, 3))
    terms = [
        (x[i] - x[j]) @ (x[k] - x[m]) * ((y[i] - y[j]) @ (y[k] - y[m])) / 4
        for i, j, k, m in permutations(range(7), 4)
    ]
    gram_x, gram_y, cross, _, _, q_xy, n = moments(x, y)
    t_x, t_y = np.trace(gram_x), np.trace(gram_y)
    units = t_x * t_y
    found = unbiased_overlap((cross**2).sum() / units, q_xy / units, n) * units / (n * (n - 3))
    assert found == pytest.approx(np.mean(terms), rel=ROUNDING)


@pytest.mark.parametrize("n", [4, 5, 6])
def test_hsic_has_no_bias_whatever_the_law(n: int) -> None:
    x = np.array([[0.0, 0.0], [1.0, 0.0], [3.0, 2.0]])
    y = np.array([[2.0], [1.0], [-1.0]])
    chances = np.array([0.5, 0.25, 0.25])
    sigma = (x - chances @ x).T @ ((y - chances @ y) * chances[:, None])
    index = np.array(list(product(range(3), repeat=n)))
    index = index[(index != index[:, :1]).any(axis=1)]  # all rows equal: zero
    gram_x, gram_y, cross, _, _, q_xy, _ = moments(x[index], y[index])
    units = np.trace(gram_x, axis1=1, axis2=2) * np.trace(gram_y, axis1=1, axis2=2)
    found = unbiased_overlap((cross**2).sum(axis=(1, 2)) / units, q_xy / units, n) * units
    expected = (sigma**2).sum() * n * (n - 3)
    assert chances[index].prod(axis=1) @ found == pytest.approx(expected, rel=ROUNDING)


def test_independent_layers_have_none_where_the_plain_one_shows_some(rng: Any) -> None:
    pairs = [(rng.normal(size=(20, 10)), rng.normal(size=(20, 10))) for _ in range(200)]
    found = [linear_cka_debiased(x, y) for x, y in pairs]
    # scatter 0.07 a pair: four standard errors
    assert np.mean(found) == pytest.approx(0.0, abs=0.02)
    assert np.mean([linear_cka(x, y) for x, y in pairs]) > 0.3  # d / (n + d)
    assert min(found) < 0


def test_layer_is_aligned_with_itself(layers: Any) -> None:
    assert linear_cka_debiased(layers[0], layers[0]) == pytest.approx(1.0, abs=ROUNDING)


def test_is_within_one_of_zero(rng: Any) -> None:
    for _ in range(50):
        found = linear_cka_debiased(rng.standard_t(1.5, size=(5, 3)), rng.normal(size=(5, 2)))
        assert abs(found) <= 1.0 + ROUNDING


def test_is_blind_to_rotation_scale_and_offset(layers: Any, rng: Any) -> None:
    x, y = layers
    turn = np.linalg.qr(rng.normal(size=(7, 7)))[0]
    expected = linear_cka_debiased(x, y)
    assert linear_cka_debiased(-3.0 * x @ turn + 5.0, y) == pytest.approx(expected, rel=ROUNDING)
    assert linear_cka_debiased(1e-150 * x, 1e150 * y) == pytest.approx(expected, rel=ROUNDING)


def test_is_symmetric(layers: Any) -> None:
    x, y = layers
    assert linear_cka_debiased(x, y) == pytest.approx(linear_cka_debiased(y, x), rel=ROUNDING)


def test_tensors_are_taken_in_float64(layers: Any) -> None:
    x, y = (torch.tensor(layer, dtype=torch.float32) for layer in layers)
    assert linear_cka_debiased(x, y) == linear_cka_debiased(x.double().numpy(), y.double().numpy())


def test_stack_of_moments_is_as_each_alone(rng: Any) -> None:
    x, y = rng.normal(size=(3, 20, 4)), rng.normal(size=(3, 20, 5))
    together = linear_cka_debiased_from_moments(*moments(x, y))
    assert together.shape == (3,)
    for index in range(3):
        expected = linear_cka_debiased(x[index], y[index])
        assert together[index] == pytest.approx(expected, rel=ROUNDING)


@pytest.mark.parametrize(
    "bad", [np.full((60, 3), 0.1), np.full((60, 3), np.nan), np.full((60, 3), np.inf)]
)
def test_degenerate_layers_are_nan(layers: Any, bad: Any) -> None:
    assert np.isnan(linear_cka_debiased(layers[0], bad))
    assert np.isnan(linear_cka_debiased(bad, layers[0]))


def test_three_rows_are_nan(layers: Any) -> None:
    assert np.isnan(linear_cka_debiased(layers[0][:3], layers[1][:3]))


def test_mutually_orthogonal_rows_are_nan(layers: Any, rng: Any) -> None:
    # a simplex: no two differences share a direction, and rounding leaves 1e-17 of that
    turn = np.linalg.qr(rng.normal(size=(12, 12)))[0]
    assert np.isnan(linear_cka_debiased(turn, layers[0][:12]))


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_degenerate_moments_are_nan(bad: Any) -> None:
    good, spoilt = np.eye(2), np.full((2, 2), bad)
    assert np.isnan(
        linear_cka_debiased_from_moments(spoilt, good, spoilt, bad, np.array(0.4), bad, 10)
    )


def test_layers_of_different_samples_are_refused(layers: Any) -> None:
    with pytest.raises(ValueError, match="60 rows against 59"):
        linear_cka_debiased(layers[0], layers[1][1:])

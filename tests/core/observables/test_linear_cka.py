from typing import Any

import numpy as np
import pytest
import torch

from rgcore.observables import centred_gram, linear_cka, linear_cka_from_grams

ROUNDING = 1e-12
"""Sums of 60 products, some of them over a mean of the size of the spread."""


@pytest.fixture
def rng() -> Any:
    return np.random.default_rng(0)


@pytest.fixture
def layers(rng: Any) -> Any:
    """Two layers that share part of what they see."""
    x = rng.normal(size=(60, 7)) + 1.0
    return x, x[:, :4] @ rng.normal(size=(4, 5)) + rng.normal(size=(60, 5))


def by_samples(x: Any, y: Any) -> Any:
    """The definition on centred n x n Gram matrices."""
    centring = np.eye(len(x)) - 1 / len(x)
    k, m = (centring @ z @ z.T @ centring for z in (x, y))
    return (k * m).sum() / np.sqrt((k * k).sum() * (m * m).sum())


def test_is_the_alignment_of_the_gram_matrices_of_the_samples(layers: Any) -> None:
    found = linear_cka(*layers)
    assert found == pytest.approx(by_samples(*layers), rel=ROUNDING)
    assert 0.1 < found < 0.95


def test_fewer_rows_than_dimensions_agree_with_the_definition(rng: Any) -> None:
    x, y = rng.normal(size=(6, 20)), rng.normal(size=(6, 30))
    assert linear_cka(x, y) == pytest.approx(by_samples(x, y), rel=ROUNDING)


def test_layer_is_aligned_with_itself(layers: Any) -> None:
    assert linear_cka(layers[0], layers[0]) == pytest.approx(1.0, abs=1e-15)
    assert linear_cka(layers[0], layers[0]) <= 1.0


def test_is_blind_to_rotation_scale_and_offset(layers: Any, rng: Any) -> None:
    x, y = layers
    turn = np.linalg.qr(rng.normal(size=(7, 7)))[0]
    assert linear_cka(x, -3.0 * x @ turn + 5.0) == pytest.approx(1.0, abs=ROUNDING)
    assert linear_cka(1e-150 * x @ turn + 1e-150, y) == pytest.approx(
        linear_cka(x, y), rel=ROUNDING
    )


def test_is_not_blind_to_a_stretched_direction(layers: Any) -> None:
    x, _ = layers
    assert linear_cka(x, x * np.array([10.0, 1, 1, 1, 1, 1, 1])) < 0.9


def test_is_symmetric(layers: Any) -> None:
    x, y = layers
    assert linear_cka(x, y) == pytest.approx(linear_cka(y, x), rel=ROUNDING)


def test_layers_that_share_nothing_have_none() -> None:
    x = np.array([[1.0], [-1.0], [1.0], [-1.0]])
    y = np.array([[1.0], [1.0], [-1.0], [-1.0]])
    assert linear_cka(x, y) == 0.0


def test_tensors_are_taken_in_float64(layers: Any) -> None:
    x, y = (torch.tensor(layer, dtype=torch.float32) for layer in layers)
    assert linear_cka(x, y) == linear_cka(x.double().numpy(), y.double().numpy())


def test_running_sums_give_the_same(layers: Any) -> None:
    x, y = layers

    def summed(a: Any, b: Any) -> Any:
        return centred_gram(a.T @ b, a.sum(axis=0), b.sum(axis=0), len(a))

    found = linear_cka_from_grams(summed(x, x), summed(y, y), summed(x, y))
    assert found == pytest.approx(linear_cka(x, y), rel=ROUNDING)


def test_stack_of_gram_matrices_is_as_each_alone(rng: Any) -> None:
    x, y = rng.normal(size=(3, 20, 4)), rng.normal(size=(3, 20, 5))
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    together = linear_cka_from_grams(
        x.transpose(0, 2, 1) @ x, y.transpose(0, 2, 1) @ y, x.transpose(0, 2, 1) @ y
    )
    assert together.shape == (3,)
    for index in range(3):
        assert together[index] == pytest.approx(linear_cka(x[index], y[index]), rel=ROUNDING)


def test_running_sums_of_a_stack_are_centred_each(rng: Any) -> None:
    x = rng.normal(size=(3, 20, 4)) + 2.0
    sums = x.sum(axis=1)
    found = centred_gram(x.transpose(0, 2, 1) @ x, sums, sums, 20)
    for index in range(3):
        expected = np.cov(x[index].T, bias=True) * 20
        np.testing.assert_allclose(found[index], expected, rtol=0, atol=1e-11)  # mean^2 n eps


@pytest.mark.parametrize(
    "bad", [np.full((60, 3), 0.1), np.full((60, 3), np.nan), np.full((60, 3), np.inf)]
)
def test_degenerate_layers_are_nan(layers: Any, bad: Any) -> None:
    assert np.isnan(linear_cka(layers[0], bad))
    assert np.isnan(linear_cka(bad, layers[0]))


def test_one_row_is_nan() -> None:
    assert np.isnan(linear_cka(np.ones((1, 3)), np.ones((1, 2))))


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_degenerate_gram_matrices_are_nan(bad: Any) -> None:
    good, spoilt = np.eye(2), np.full((2, 2), bad)
    assert np.isnan(linear_cka_from_grams(spoilt, good, spoilt))


def test_tiny_gram_matrices_do_not_underflow() -> None:
    assert linear_cka_from_grams(1e-200 * np.eye(2), np.eye(2), 1e-100 * np.eye(2)) == 1.0


def test_layers_of_different_samples_are_refused(layers: Any) -> None:
    with pytest.raises(ValueError, match="60 rows against 59"):
        linear_cka(layers[0], layers[1][1:])

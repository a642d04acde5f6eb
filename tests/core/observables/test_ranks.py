from typing import Any

import numpy as np
import pytest
import torch

from rgcore.observables import (
    effective_rank,
    effective_rank_from_spectrum,
    gram_spectrum,
    participation_ratio,
    participation_ratio_from_spectrum,
    spectrum,
    spectrum_from_spectrum,
    stable_rank,
    stable_rank_from_spectrum,
)

RANKS = {
    effective_rank: effective_rank_from_spectrum,
    participation_ratio: participation_ratio_from_spectrum,
    stable_rank: stable_rank_from_spectrum,
}
STREAMED_TOLERANCE = 1e-4
"""Of the effective rank: at most d lost singular values of sqrt(d eps) = 1.7e-7 of the largest."""


def orthogonal(size: Any, rng: Any) -> Any:
    return np.linalg.qr(rng.normal(size=(size, size)))[0]


def with_singular_values(values: Any, n: int = 200, d: Any = None, seed: int = 0) -> Any:
    """(n, d) rows, not centred, whose centred singular values are the given ones."""
    rng = np.random.default_rng(seed)
    d = d or len(values)
    left = rng.normal(size=(n, len(values)))
    left, _ = np.linalg.qr(left - left.mean(axis=0))  # columns stay orthogonal to 1
    return (left * values) @ orthogonal(d, rng)[: len(values)] + rng.normal(size=d)


def reference(values: Any) -> Any:
    """The three ranks and the spectrum by their definitions."""
    share, v = values / values.sum(), values**2
    share = share[share > 0]
    return {
        effective_rank: np.exp(-(share * np.log(share)).sum()),
        participation_ratio: v.sum() ** 2 / (v**2).sum(),
        stable_rank: v.sum() / v.max(),
        spectrum: np.sort(v / v.sum())[::-1],
    }


def gram(x: Any) -> Any:
    centred = x - x.mean(axis=0)
    return centred.T @ centred


@pytest.mark.parametrize("rank", RANKS)
@pytest.mark.parametrize(
    "values",
    [np.ones(7), np.arange(1.0, 9.0), 2.0 ** -np.arange(12.0), np.array([5.0])],
    ids=["flat", "linear", "geometric", "one"],
)
def test_ranks_of_known_spectra(rank: Any, values: Any) -> None:
    found = rank(with_singular_values(values, d=16))
    # zeros come out of the decomposition as 1e-15 of the largest
    assert found == pytest.approx(reference(values)[rank], rel=1e-12)


def test_flat_spectrum_has_the_rank_of_its_length() -> None:
    x = with_singular_values(np.ones(7), d=16)
    for rank in RANKS:
        assert rank(x) == pytest.approx(7.0, rel=1e-12)


def test_effective_rank_takes_singular_values_and_not_their_squares() -> None:
    # p = (3/4, 1/4): exp(H) = 4 / 3^(3/4)
    x = with_singular_values(np.array([3.0, 1.0]))
    assert effective_rank(x) == pytest.approx(4 / 3**0.75, rel=1e-12)


def test_spectrum_is_the_share_of_variance_falling_and_padded() -> None:
    values = np.array([1.0, 4.0, 2.0])
    found = spectrum(with_singular_values(values, d=6))
    np.testing.assert_allclose(found, [16 / 21, 4 / 21, 1 / 21, 0, 0, 0], rtol=0, atol=1e-14)


def test_fewer_rows_than_dimensions_are_padded_with_zeros() -> None:
    x = np.random.default_rng(0).normal(size=(3, 8))
    assert spectrum(x).shape == (8,)
    assert effective_rank(x) <= 2.0  # centring takes one


@pytest.mark.parametrize("rank", RANKS)
def test_ranks_are_centred_and_blind_to_scale_and_rotation(rank: Any) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(50, 6)) * np.arange(1, 7)
    expected = rank(x)
    assert rank(x + 100.0) == pytest.approx(expected, rel=1e-10)  # 100 eps a column
    assert rank(1e-200 * x) == pytest.approx(expected, rel=1e-12)
    assert rank(1e200 * x) == pytest.approx(expected, rel=1e-12)
    assert rank(x @ orthogonal(6, rng)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("rank", RANKS)
def test_tensors_of_either_precision_are_taken_in_float64(rank: Any) -> None:
    x = np.random.default_rng(2).normal(size=(40, 5)).astype(np.float32)
    expected = rank(x.astype(np.float64))
    assert rank(x) == expected
    assert rank(torch.from_numpy(x)) == expected
    assert rank(torch.from_numpy(x).double().requires_grad_()) == expected


def cases(d: int = 128) -> Any:
    rng = np.random.default_rng(3)
    decay = np.exp(-np.arange(d) / 4.0)  # down to 1e-14: most of it below the noise of a Gram
    return {
        "full": rng.normal(size=(1000, d)),
        "deficient": rng.normal(size=(1000, 5)) @ rng.normal(size=(5, d)),
        "collapsed": with_singular_values(np.array([1.0]), n=1000, d=d),
        "decaying": with_singular_values(decay, n=1000),
        "few_rows": rng.normal(size=(20, d)),
    }


@pytest.mark.parametrize("name", cases())
def test_gram_path_agrees_with_singular_values(name: Any) -> None:
    x = cases()[name]
    values = np.linalg.svd(x - x.mean(axis=0), compute_uv=False)
    expected = reference(np.where(values > 1e-13 * values.max(), values, 0.0))
    eigenvalues = gram_spectrum(gram(x))
    for rank, streamed in RANKS.items():
        tolerance = STREAMED_TOLERANCE if rank is effective_rank else 1e-10
        assert streamed(eigenvalues) == pytest.approx(expected[rank], rel=tolerance)
        assert rank(x) == pytest.approx(expected[rank], rel=1e-9)


@pytest.mark.parametrize("name", ["deficient", "collapsed", "few_rows"])
def test_noise_of_a_singular_gram_matrix_is_cut(name: str) -> None:
    x = cases()[name]
    exact = effective_rank(x)
    # what is left has 1e-15 relative; uncut, 120 singular values of 1e-8 move it by 1e-5
    assert effective_rank_from_spectrum(gram_spectrum(gram(x))) == pytest.approx(exact, rel=1e-10)


def test_collapsed_layer_has_rank_one() -> None:
    x = with_singular_values(np.array([1.0]), n=1000, d=512)
    assert effective_rank_from_spectrum(gram_spectrum(gram(x))) == pytest.approx(1.0, abs=1e-10)


def test_raw_eigenvalues_are_cleaned_too() -> None:
    x = cases()["deficient"]
    raw = np.linalg.eigvalsh(gram(x))  # rising, some negative
    assert (raw < 0).any()
    assert effective_rank_from_spectrum(raw) == pytest.approx(effective_rank(x), rel=1e-10)
    np.testing.assert_allclose(spectrum_from_spectrum(raw), spectrum(x), rtol=0, atol=1e-13)


def test_spectra_in_a_stack_are_as_each_alone() -> None:
    stack = np.stack([gram(cases(16)[name]) for name in ("full", "deficient")])
    eigenvalues = gram_spectrum(stack)
    assert eigenvalues.shape == (2, 16)
    for streamed in [*RANKS.values(), spectrum_from_spectrum]:
        together = streamed(eigenvalues)
        for index in range(2):
            np.testing.assert_array_equal(together[index], streamed(gram_spectrum(stack[index])))


BAD = {
    "constant": np.full((5, 3), 0.1),
    "one_row": np.ones((1, 3)),
    "no_rows": np.ones((0, 3)),
    "nan": np.array([[1.0, np.nan, 0.0], [0.0, 1.0, 2.0]]),
    "inf": np.array([[1.0, np.inf, 0.0], [0.0, 1.0, 2.0]]),
}


@pytest.mark.parametrize("name", BAD)
def test_degenerate_layers_are_nan(name: Any) -> None:
    for rank in RANKS:
        assert np.isnan(rank(BAD[name]))
    assert spectrum(BAD[name]).shape == (3,)
    assert np.isnan(spectrum(BAD[name])).all()


def test_degenerate_spectra_are_nan_and_leave_their_neighbours() -> None:
    stack = np.array([[0.0, 0.0], [1.0, 1.0], [np.nan, 1.0]])
    for streamed in RANKS.values():
        np.testing.assert_allclose(streamed(stack), [np.nan, 2.0, np.nan], rtol=1e-15)
    np.testing.assert_array_equal(
        spectrum_from_spectrum(stack), [[np.nan] * 2, [0.5] * 2, [np.nan] * 2]
    )


def test_gram_matrix_that_is_not_finite_has_a_spectrum_of_nan() -> None:
    stack = np.stack([np.eye(2), np.full((2, 2), np.inf)])
    np.testing.assert_array_equal(gram_spectrum(stack), [[1.0, 1.0], [np.nan, np.nan]])


def test_something_other_than_a_matrix_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(4, 3, 2\)"):
        effective_rank(np.zeros((4, 3, 2)))

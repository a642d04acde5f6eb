"""Activations and Gram matrices made ready for a scale-free, centred observable."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

EPSILON = float(np.finfo(np.float64).eps)

Rows = ArrayLike
"""(n, d) activations: n samples of a d-dimensional stream, numpy or torch, any float type."""


def centred(x: Rows) -> NDArray[np.float64] | None:
    """The (n, d) matrix less its column means, its largest entry scaled to 1; None if degenerate.

    Every observable is free of scale, so the scaling only keeps squares within range. The first
    row is taken off before the mean: a constant column becomes exactly zero. None: fewer than two
    rows, an entry that is not finite, or all rows equal.

    Raises:
        ValueError: x is not a matrix.
    """
    detach = getattr(x, "detach", None)  # of a tensor; torch itself is not needed here
    rows = np.asarray(x if detach is None else detach().cpu(), dtype=np.float64)
    if rows.ndim != 2:
        raise ValueError(f"activations have shape {rows.shape}; allowed: (n, d)")
    if len(rows) < 2 or rows.size == 0 or not np.isfinite(rows).all():
        return None
    rows = rows / (np.abs(rows).max() or 1.0)
    rows = rows - rows[0]
    rows = rows - rows.mean(axis=0)
    largest = np.abs(rows).max()
    return rows / largest if largest > 0 else None


def centred_pair(x: Rows, y: Rows) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Two layers of the same n samples, each as `centred`; None if either is degenerate.

    Raises:
        ValueError: either is not a matrix, or the numbers of rows differ.
    """
    first, second = centred(x), centred(y)
    if np.shape(x)[0] != np.shape(y)[0]:
        raise ValueError(f"{np.shape(x)[0]} rows against {np.shape(y)[0]}; allowed: the same rows")
    return None if first is None or second is None else (first, second)


def singular_values(x: Rows) -> NDArray[np.float64] | None:
    """Singular values (d,) of the centred matrix, falling, up to a common factor.

    Padded with zeros where n < d. None if degenerate, as `centred`.
    """
    rows = centred(x)
    if rows is None:
        return None
    found = np.zeros(rows.shape[1])
    found[: min(rows.shape)] = np.linalg.svd(rows, compute_uv=False)
    return found


def centred_gram(
    gram: NDArray[np.float64],
    sum_x: NDArray[np.float64],
    sum_y: NDArray[np.float64],
    n_rows: int | NDArray[np.int64],
) -> NDArray[np.float64]:
    """X^T Y of centred rows out of running sums: sum x y^T - (sum x)(sum y)^T / n.

    Digits are lost as the mean outgrows the spread: take a fixed reference row (any one sample)
    off every row before summing, which changes no centred number and makes a constant layer zero.

    Args:
        gram: (..., d, e) sum of x y^T.
        sum_x: (..., d) sum of x.
        sum_y: (..., e) sum of y.
        n_rows: number of rows summed, or (...,).
    """
    outer = sum_x[..., :, None] * sum_y[..., None, :]
    return np.asarray(gram - outer / np.asarray(n_rows)[..., None, None])


def frobenius_norm(gram: NDArray[np.float64]) -> NDArray[np.float64]:
    """Frobenius norm over the last two axes; entries are scaled first, so no square underflows."""
    largest = np.abs(gram).max(axis=(-2, -1), keepdims=True)  # (..., 1, 1)
    with np.errstate(invalid="ignore"):  # inf / inf: nan
        scaled = gram / np.where(largest > 0, largest, 1.0)
    return np.asarray(largest[..., 0, 0] * np.sqrt(np.square(scaled).sum(axis=(-2, -1))))


def gram_spectrum(gram: NDArray[np.float64]) -> NDArray[np.float64]:
    """Eigenvalues (..., d) of centred Gram matrices (..., d, d), falling, noise set to zero.

    A Gram matrix that is not finite has a spectrum of nan.
    """
    finite = np.asarray(np.isfinite(gram).all(axis=(-2, -1), keepdims=True))  # (..., 1, 1)
    values = np.linalg.eigvalsh(np.where(finite, gram, 0.0))[..., ::-1]
    return np.where(finite[..., 0], without_noise(values), np.nan)


def gram_decomposition(
    gram: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """As `gram_spectrum`, and the eigenvectors that belong to it: columns of (..., d, d)."""
    finite = np.asarray(np.isfinite(gram).all(axis=(-2, -1), keepdims=True))  # (..., 1, 1)
    values, vectors = np.linalg.eigh(np.where(finite, gram, 0.0))
    spectrum = np.where(finite[..., 0], without_noise(values[..., ::-1]), np.nan)
    return spectrum, vectors[..., ::-1]


def without_noise(spectrum: ArrayLike) -> NDArray[np.float64]:
    """Gram eigenvalues (..., d) with those below d * eps * largest set to zero.

    Rounding leaves about eps * largest where the truth is zero, some of it negative, and the
    square root turns 1e-16 into a singular value of 1e-8 of the largest. The price: true singular
    values below sqrt(d * eps) of the largest, 2e-7 at d = 128, are lost.
    """
    values = np.asarray(spectrum, dtype=np.float64)
    floor = values.shape[-1] * EPSILON * values.max(axis=-1, keepdims=True, initial=0.0)
    return np.where(values < floor, 0.0, values)

"""The spectrum of a layer: v = s^2, the squared singular values of the centred n x d matrix."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Array = NDArray[np.floating] | torch.Tensor


def centred(x: Array) -> Floats:
    """An (n, d) array in float64 with the mean of each column taken off."""
    matrix = np.asarray(x, dtype=np.float64)
    if matrix.ndim != 2:
        raise ValueError(f"an (n, d) array is needed, not one of shape {matrix.shape}")
    return matrix - matrix.mean(axis=0)  # type: ignore[no-any-return]


def squared_singular_values(gram: Floats) -> Floats:
    """v of centred Gram matrices X^T X, largest first; (..., d, d) -> (..., d).

    Eigenvalues below d eps times the largest are rounding noise of the eigensolver. They are set
    to 0, since the square root of the effective rank would raise them from 1e-16 to 1e-8 each.
    """
    v = np.linalg.eigvalsh(gram)[..., ::-1]
    floor = v[..., :1] * gram.shape[-1] * np.finfo(np.float64).eps
    return np.where(v > floor, v, 0.0)


def normalised_spectrum(v: Floats) -> Floats:
    """v / sum v along the last axis; NaN where the layer is constant."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return v / v.sum(axis=-1, keepdims=True)  # type: ignore[no-any-return]


def spectrum(x: Array) -> Floats:
    """v / sum v of an (n, d) array, largest first; (d,). NaN for a constant layer."""
    return normalised_spectrum(values_of(x))


def values_of(x: Array) -> Floats:
    """v of an (n, d) array by SVD, padded with zeros to d; NaN if the input is not finite."""
    matrix = centred(x)
    if not np.isfinite(matrix).all():
        return np.full(matrix.shape[1], np.nan)
    v = np.zeros(matrix.shape[1])
    s = np.linalg.svd(matrix, compute_uv=False)
    # centring leaves rounding of a constant column behind: eps times its size, not a dimension
    noise = np.finfo(np.float64).eps * max(matrix.shape) * max(np.abs(np.asarray(x)).max(), 1e-300)
    v[: len(s)] = np.where(s > noise, s, 0.0) ** 2
    return v

"""How alike two layers are, whatever their basis: linear CKA."""

from __future__ import annotations

import numpy as np

from rgcore.observables.spectrum import Array, Floats, centred


def linear_cka(x: Array, y: Array) -> float:
    """|X^T Y|_F^2 / (|X^T X|_F |Y^T Y|_F) of centred (n, d) arrays, between 0 and 1.

    Source: Kornblith et al. 2019. Invariant to rotations and to a common scale of either layer.
    NaN if a layer is constant.
    """
    a, b = centred(x), centred(y)
    return float(linear_cka_from_gram(a.T @ a, a.T @ b, b.T @ b))


def linear_cka_from_gram(xx: Floats, xy: Floats, yy: Floats) -> Floats:
    """`linear_cka` from centred Gram matrices X^T X, X^T Y, Y^T Y; (..., d, d) -> (...)."""
    scale = _norm(xx) * _norm(yy)
    with np.errstate(invalid="ignore", divide="ignore"):
        return _norm(xy) ** 2 / scale  # type: ignore[no-any-return]


def _norm(matrix: Floats) -> Floats:
    return np.linalg.norm(matrix, axis=(-2, -1))  # type: ignore[return-value]

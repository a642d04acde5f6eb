"""How far the samples' leading directions turn between two layers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rgcore.observables.centring import Rows, centred_pair, gram_decomposition
from rgcore.observables.registry import PER_TRANSITION, LayerMoments, measured


def subspace_angle(x: Rows, y: Rows, *, held: float = 0.9) -> float:
    """Mean principal angle, in radians, between the leading k-dimensional subspaces of samples.

    The subspaces of R^n are spanned by the first k left singular vectors of the centred X and Y;
    the cosines of the k angles are the singular values of U_x^T U_y (Bjorck & Golub 1973). k is
    the smallest number of components of X, the earlier layer, that holds a share `held` of its
    variance, and at most the rank of Y; so the angle from X to Y is not that from Y to X. Between
    0 and pi / 2. Biased for small n: unrelated subspaces fall short of pi / 2 by about sqrt(k / n).
    The arc cosine turns a rounding of 1e-16 into 2e-8: below about 1e-7 the angle is noise. Where
    the k-th and the next singular value of a layer are equal, its subspace is not unique and the
    angle is that to one of them.

    Args:
        x: (n, d), n samples.
        y: (n, e), the same samples in a later layer.
        held: share of the variance of X, above 0, at most 1.

    Returns:
        The angle; nan if either has fewer than two rows, all rows equal, or an entry that is not
        finite.

    Raises:
        ValueError: either is not a matrix, the numbers of rows differ, or held is out of range.

    Example:
        >>> rows = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
        >>> abs(round(subspace_angle(rows, 2.0 * rows), 6))
        0.0
    """
    _check(held)
    pair = centred_pair(x, y)
    if pair is None:
        return float("nan")
    first, second = pair
    grams = first.T @ first, second.T @ second, first.T @ second
    return float(subspace_angle_from_moments(*grams, held=held))


def subspace_angle_from_moments(
    gram_x: NDArray[np.float64],
    gram_y: NDArray[np.float64],
    cross: NDArray[np.float64],
    *,
    held: float = 0.9,
) -> NDArray[np.float64]:
    """As `subspace_angle`, from centred Gram matrices; shape (...). k may differ along it.

    With X^T X = V_x S_x^2 V_x^T, U_x^T U_y = S_x^-1 V_x^T (X^T Y) V_y S_y^-1.

    Args:
        gram_x: (..., d, d), X^T X of the earlier layer.
        gram_y: (..., e, e), Y^T Y of the later one.
        cross: (..., d, e), X^T Y. nan where any is not finite, or X^T X or Y^T Y is zero.
        held: share of the variance of X, above 0, at most 1.

    Raises:
        ValueError: held is out of range.
    """
    first, second = gram_decomposition(gram_x), gram_decomposition(gram_y)
    return subspace_angle_from_decompositions(first, second, cross, held=held)


def subspace_angle_from_decompositions(
    first: tuple[NDArray[np.float64], NDArray[np.float64]],
    second: tuple[NDArray[np.float64], NDArray[np.float64]],
    cross: NDArray[np.float64],
    *,
    held: float = 0.9,
) -> NDArray[np.float64]:
    """As `subspace_angle_from_moments`, from `gram_decomposition` of X^T X and of Y^T Y."""
    _check(held)
    (values_x, turn_x), (values_y, turn_y) = first, second
    finite = np.asarray(  # (...)
        np.isfinite(cross).all(axis=(-2, -1))
        & np.isfinite(values_x).all(axis=-1)
        & np.isfinite(values_y).all(axis=-1)
    )
    values_x, values_y = (np.where(finite[..., None], v, 0.0) for v in (values_x, values_y))
    cross = np.where(finite[..., None, None], cross, 0.0)
    k = np.asarray(np.minimum(_leading(values_x, held), (values_y > 0).sum(axis=-1)))  # (...)
    most = slice(max(1, int(k.max(initial=0))))
    scale_x = _inverse_root(values_x[..., most], k)[..., :, None]
    scale_y = _inverse_root(values_y[..., most], k)[..., None, :]
    inner = turn_x[..., most].mT @ cross @ turn_y[..., most]
    inner = scale_x * inner * scale_y  # (..., max k, max k), zero beyond k
    angles = np.arccos(np.minimum(np.linalg.svd(inner, compute_uv=False), 1.0))
    leading = np.arange(angles.shape[-1]) < k[..., None]
    with np.errstate(invalid="ignore"):  # 0 / 0 is the nan that is promised
        return np.asarray(np.where(leading, angles, 0.0).sum(axis=-1) / k)


@measured(PER_TRANSITION, "subspace_angle")
def _subspace_angle(moments: LayerMoments) -> NDArray[np.float64]:
    values, vectors = moments.decomposition
    earlier, later = (values[:, :-1], vectors[:, :-1]), (values[:, 1:], vectors[:, 1:])
    return subspace_angle_from_decompositions(earlier, later, moments.crosses)


def _check(held: float) -> None:
    if not 0 < held <= 1:
        raise ValueError(f"held is {held}; allowed: above 0, at most 1")


def _leading(values: NDArray[np.float64], held: float) -> NDArray[np.int64]:
    """Smallest number of components that holds a share of the variance; none of a zero layer."""
    total = values.sum(axis=-1, keepdims=True)
    short = values.cumsum(axis=-1) < held * (1 - 1e-12) * total  # rounding adds no component
    return np.asarray(np.minimum(short.sum(axis=-1) + 1, (values > 0).sum(axis=-1)))


def _inverse_root(values: NDArray[np.float64], k: NDArray[np.int64]) -> NDArray[np.float64]:
    """1 / sqrt of the first k eigenvalues (..., d), zero for the others."""
    kept = np.arange(values.shape[-1]) < k[..., None]
    return np.where(kept, 1.0 / np.sqrt(np.where(kept, values, 1.0)), 0.0)

"""Procrustes distance: what is left between two layers after the best rotation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rgcore.observables.centring import Rows, centred_pair
from rgcore.observables.registry import PER_TRANSITION, LayerMoments, measured


def procrustes_distance(x: Rows, y: Rows) -> float:
    """Min over orthogonal R of |X/|X| - Y R/|Y||, Frobenius norms of centred matrices.

    Equal to sqrt(2 - 2 |X^T Y|_* / (|X| |Y|)), |.|_* the sum of singular values (Schonemann 1966;
    Williams et al. 2021). Between 0 and sqrt(2), a metric; blind to offset, rotations and a common
    scale of either layer. Layers of different widths are padded with zeros. The square root turns
    a rounding of 1e-16 into 2e-8: below that it is noise. Biased downwards for small n.

    Args:
        x: (n, d), n samples.
        y: (n, e), the same samples in another layer.

    Returns:
        The distance; nan if either has fewer than two rows, all rows equal, or an entry that is
        not finite.

    Raises:
        ValueError: either is not a matrix, or the numbers of rows differ.

    Example:
        >>> rows = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
        >>> abs(round(procrustes_distance(rows, rows[:, ::-1]), 6))
        0.0
    """
    pair = centred_pair(x, y)
    if pair is None:
        return float("nan")
    first, second = pair
    return float(
        procrustes_distance_from_moments(first.T @ first, second.T @ second, first.T @ second)
    )


def procrustes_distance_from_moments(
    gram_x: NDArray[np.float64], gram_y: NDArray[np.float64], cross: NDArray[np.float64]
) -> NDArray[np.float64]:
    """As `procrustes_distance`, from centred Gram matrices; shape (...).

    Args:
        gram_x: (..., d, d), X^T X.
        gram_y: (..., e, e), Y^T Y.
        cross: (..., d, e), X^T Y. nan where it or a trace is not finite, or a trace is zero.
    """
    with np.errstate(invalid="ignore", divide="ignore"):  # replaced by nan below
        norm_x = np.sqrt(np.trace(gram_x, axis1=-2, axis2=-1))[..., None, None]
        norm_y = np.sqrt(np.trace(gram_y, axis1=-2, axis2=-1))[..., None, None]
        scaled = cross / norm_x / norm_y
    usable = np.isfinite(scaled).all(axis=(-2, -1)) & (norm_x * norm_y < np.inf)[..., 0, 0]
    values = np.linalg.svd(np.where(usable[..., None, None], scaled, 0.0), compute_uv=False)
    distance = np.sqrt(np.maximum(2.0 - 2.0 * values.sum(axis=-1), 0.0))
    return np.where(usable, distance, np.nan)


@measured(PER_TRANSITION, "procrustes_distance")
def _procrustes_distance(moments: LayerMoments) -> NDArray[np.float64]:
    grams = moments.grams
    return procrustes_distance_from_moments(grams[:, :-1], grams[:, 1:], moments.crosses)

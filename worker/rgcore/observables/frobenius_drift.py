"""How far two layers' views of the samples lie apart, as a distance."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rgcore.observables.centring import Rows
from rgcore.observables.cka_matrix import cka_matrix_from_moments
from rgcore.observables.linear_cka import linear_cka
from rgcore.observables.registry import PER_TRANSITION, LayerMoments, between_neighbours, measured


def frobenius_drift(x: Rows, y: Rows) -> float:
    """|K/|K| - M/|M||, K = X X^T and M = Y Y^T of centred matrices, Frobenius norms (Song 2012).

    Equal to sqrt(2 (1 - linear_cka)): between 0 and sqrt(2), a metric on normalised Gram
    matrices. The square root turns a rounding of 1e-16 into 2e-8: below that it is noise. Biased
    downwards for small n, as the alignment is upwards.

    Args:
        x: (n, d), n samples.
        y: (n, e), the same samples in another layer.

    Returns:
        The distance; nan as `linear_cka`.

    Raises:
        ValueError: either is not a matrix, or the numbers of rows differ.

    Example:
        >>> rows = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
        >>> abs(round(frobenius_drift(rows, 3.0 * rows), 6))
        0.0
    """
    return float(frobenius_drift_from_cka(linear_cka(x, y)))


def frobenius_drift_from_cka(cka: ArrayLike) -> NDArray[np.float64]:
    """As `frobenius_drift`, from alignments of any shape; one above 1 by rounding counts as 1."""
    return np.asarray(np.sqrt(2.0 * np.maximum(1.0 - np.asarray(cka, dtype=np.float64), 0.0)))


@measured(PER_TRANSITION, "frobenius_drift")
def _frobenius_drift(moments: LayerMoments) -> NDArray[np.float64]:
    return frobenius_drift_from_cka(between_neighbours(cka_matrix_from_moments(moments.norms2)))

"""Participation ratio of the covariance itself, not of the n rows that sample it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rgcore.observables.centring import Rows, centred, frobenius_norm
from rgcore.observables.registry import PER_LAYER, LayerMoments, measured
from rgcore.observables.unbiased import unbiased_self_overlap


def participation_ratio_corrected(x: Rows) -> float:
    """Unbiased estimate of (tr Sigma)^2 over that of tr(Sigma^2), Sigma the covariance.

    With S the sample covariance and Q = sum |x_i - mean|^4 / (n - 1), both times
    (n - 1) / (n (n - 2) (n - 3)):

        (tr Sigma)^2:   2 tr S^2 + (n^2 - 3n + 1) (tr S)^2 - n Q
        tr(Sigma^2):    (n - 1) (n - 2) tr S^2 + (tr S)^2 - n Q

    U-statistics for an unknown mean and any law with fourth moments (Chen, Zhang & Zhong 2010;
    Himeno & Yamada 2014). The ratio of the two keeps a small upward bias: 1 % for ten equal
    directions of normal rows at n = 20, where the plain `participation_ratio` is 35 % low. At
    least 1, and 1 only for rows on a line; unlike the plain ratio it may exceed n - 1 and d.

    Args:
        x: (n, d), n samples.

    Returns:
        The ratio; nan for fewer than four rows, all rows equal, an entry that is not finite, or
        rows whose differences are orthogonal wherever they share no row: too few to tell.
    """
    rows = centred(x)
    if rows is None:
        return float("nan")
    norms4 = np.square(np.square(rows).sum(axis=1)).sum()
    return float(participation_ratio_corrected_from_moments(rows.T @ rows, norms4, len(rows)))


def participation_ratio_corrected_from_moments(
    gram: NDArray[np.float64], norms4: NDArray[np.float64] | float, n_rows: int | NDArray[np.int64]
) -> NDArray[np.float64]:
    """As `participation_ratio_corrected`, from sums over centred rows; shape (...).

    Args:
        gram: (..., d, d), X^T X.
        norms4: (...,), sum |x_i|^4.
        n_rows: n, or (...,). nan where n < 4, a sum is zero or not finite, or the estimate of
            tr(Sigma^2) is not positive.
    """
    n = np.asarray(n_rows, dtype=np.float64)
    trace = np.trace(gram, axis1=-2, axis2=-1)
    with np.errstate(invalid="ignore", divide="ignore"):  # 0 / 0 is the nan that is promised
        square = np.square(frobenius_norm(gram) / trace)  # tr S^2 / (tr S)^2
        fourth = norms4 / trace / trace
        trace_squared = 2 * square + (n**2 - 3 * n + 1) - n * (n - 1) * fourth
        squared_trace = (n - 1) * (n - 2) * unbiased_self_overlap(square, fourth, n_rows)
        return np.asarray(trace_squared / squared_trace)


@measured(PER_LAYER, "participation_ratio_corrected")
def _participation_ratio_corrected(moments: LayerMoments) -> NDArray[np.float64]:
    norms4 = np.diagonal(moments.quartic, axis1=-2, axis2=-1)  # (G, K)
    return participation_ratio_corrected_from_moments(moments.grams, norms4, moments.n_rows)

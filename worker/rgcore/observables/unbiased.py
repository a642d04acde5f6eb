"""The unbiased estimate behind every observable that is corrected for finite n."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rgcore.observables.centring import EPSILON


def unbiased_overlap(
    norm2: NDArray[np.float64] | float,
    quartic: NDArray[np.float64] | float,
    n_rows: int | NDArray[np.int64],
) -> NDArray[np.float64]:
    """What estimates tr(Sigma_xy Sigma_yx) without bias, times a factor, in units of t_x t_y.

    The estimate is the mean of (x_i - x_j).(x_k - x_l) (y_i - y_j).(y_k - y_l) / 4 over distinct
    i, j, k, l: HSIC_1 of Song et al. 2012 (their equation 4) with linear kernels. For centred
    rows its sums over Gram matrices without their diagonals collapse to

        n (n - 3) HSIC_1 = |X^T Y|^2 - n q_xy / (n - 2) + t_x t_y / ((n - 1) (n - 2)),

    t_x = sum |x_i|^2, q_xy = sum |x_i|^2 |y_i|^2. This is the right-hand side over t_x t_y.

    Args:
        norm2: |X^T Y|^2 / (t_x t_y), any shape.
        quartic: q_xy / (t_x t_y).
        n_rows: n, that broadcasts. nan where n < 4.
    """
    n = np.asarray(n_rows, dtype=np.float64)
    n = np.where(n >= 4, n, np.nan)
    return np.asarray(norm2 - n / (n - 2) * quartic + 1.0 / ((n - 1) * (n - 2)))


def unbiased_self_overlap(
    norm2: NDArray[np.float64] | float,
    quartic: NDArray[np.float64] | float,
    n_rows: int | NDArray[np.int64],
) -> NDArray[np.float64]:
    """As `unbiased_overlap` of a layer with itself, which is never negative; nan where it is zero.

    It is zero if every difference of two rows is orthogonal to that of any other two: the rows
    then show no direction twice, and nothing about the covariance but its trace. Below n * eps
    of what it is the difference of, it counts as zero.
    """
    found = unbiased_overlap(norm2, quartic, n_rows)
    return np.where(found > np.asarray(n_rows) * EPSILON * norm2, found, np.nan)

"""Linear centred kernel alignment without the upward bias of few samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rgcore.observables.centring import Rows, centred_pair, frobenius_norm
from rgcore.observables.unbiased import unbiased_overlap, unbiased_self_overlap


def linear_cka_debiased(x: Rows, y: Rows) -> float:
    """HSIC_1(X, Y) / sqrt(HSIC_1(X, X) HSIC_1(Y, Y)) with linear kernels (Nguyen et al. 2021).

    HSIC_1 (Song et al. 2012) is unbiased; the ratio keeps a bias of order 1/n. Between -1 and 1
    up to rounding; about 0 for independent layers, where `linear_cka` shows d / (n + d) if they are
    isotropic. Blind to offset, rotations and a common scale of either layer.

    Args:
        x: (n, d), n samples.
        y: (n, e), the same samples in another layer.

    Returns:
        The alignment; nan if either has fewer than four rows, all rows equal, an entry that is
        not finite, or an HSIC_1 with itself that is not positive.

    Raises:
        ValueError: either is not a matrix, or the numbers of rows differ.
    """
    pair = centred_pair(x, y)
    if pair is None:
        return float("nan")
    first, second = pair
    a, b = np.square(first).sum(axis=1), np.square(second).sum(axis=1)  # (n,)
    grams = first.T @ first, second.T @ second, first.T @ second
    return float(linear_cka_debiased_from_moments(*grams, a @ a, b @ b, a @ b, len(first)))


def linear_cka_debiased_from_moments(
    gram_x: NDArray[np.float64],
    gram_y: NDArray[np.float64],
    cross: NDArray[np.float64],
    q_xx: NDArray[np.float64] | float,
    q_yy: NDArray[np.float64] | float,
    q_xy: NDArray[np.float64] | float,
    n_rows: int | NDArray[np.int64],
) -> NDArray[np.float64]:
    """As `linear_cka_debiased`, from sums over centred rows; shape (...).

    Args:
        gram_x: (..., d, d), X^T X.
        gram_y: (..., e, e), Y^T Y.
        cross: (..., d, e), X^T Y.
        q_xx: (...,), sum |x_i|^4.
        q_yy: (...,), sum |y_i|^4.
        q_xy: (...,), sum |x_i|^2 |y_i|^2.
        n_rows: n, or (...,). nan where n < 4, a sum is not finite, or either layer's HSIC_1 with
            itself is not positive.
    """
    t_x = np.trace(gram_x, axis1=-2, axis2=-1)
    t_y = np.trace(gram_y, axis1=-2, axis2=-1)
    norm = frobenius_norm(cross)
    with np.errstate(invalid="ignore", divide="ignore"):  # 0 / 0 is the nan that is promised
        own_x = unbiased_self_overlap(
            np.square(frobenius_norm(gram_x) / t_x), q_xx / t_x / t_x, n_rows
        )
        own_y = unbiased_self_overlap(
            np.square(frobenius_norm(gram_y) / t_y), q_yy / t_y / t_y, n_rows
        )
        shared = unbiased_overlap((norm / t_x) * (norm / t_y), q_xy / t_x / t_y, n_rows)
        return np.asarray(shared / np.sqrt(own_x * own_y))

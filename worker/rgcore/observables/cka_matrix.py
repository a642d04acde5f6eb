"""The alignment of every layer with every other, from one number per pair of layers.

`kernel_drift` is 1 - the first superdiagonal: `1 - np.diagonal(m, 1, axis1=-2, axis2=-1)`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rgcore.observables.registry import (
    PER_PAIR,
    PER_TRANSITION,
    LayerMoments,
    between_neighbours,
    measured,
)
from rgcore.observables.unbiased import unbiased_overlap, unbiased_self_overlap


def cka_matrix_from_moments(norms2: NDArray[np.float64]) -> NDArray[np.float64]:
    """`linear_cka` of K layers with each other; shape (..., K, K), between 0 and 1.

    Args:
        norms2: (..., K, K), |X_l^T X_m|^2, squared Frobenius norms of centred cross products. nan
            in the row and column of a layer whose own is zero or not finite.
    """
    known = np.where(np.isfinite(norms2), norms2, np.nan)
    own = np.diagonal(known, axis1=-2, axis2=-1)  # (..., K)
    root = np.sqrt(np.where(own > 0, own, np.nan))
    aligned = known / root[..., :, None] / root[..., None, :]
    return np.asarray(np.minimum(aligned, 1.0))  # rounding may pass 1


def cka_matrix_debiased_from_moments(
    norms2: NDArray[np.float64],
    quartic: NDArray[np.float64],
    power: NDArray[np.float64],
    n_rows: int | NDArray[np.int64],
) -> NDArray[np.float64]:
    """`linear_cka_debiased` of K layers with each other; shape (..., K, K), between -1 and 1.

    Args:
        norms2: (..., K, K), |X_l^T X_m|^2, squared Frobenius norms of centred cross products.
        quartic: (..., K, K), sum_i |x_i|^2 |y_i|^2 of rows x of layer l and y of layer m.
        power: (..., K), sum_i |x_i|^2.
        n_rows: n, or (...,). nan everywhere where n < 4, and in the row and column of a layer
            whose HSIC_1 with itself is not positive or not finite.
    """
    n = np.asarray(n_rows)[..., None]  # (..., 1)
    with np.errstate(invalid="ignore", divide="ignore"):  # 0 / 0 is the nan that is promised
        square = norms2 / power[..., :, None] / power[..., None, :]
        fourth = quartic / power[..., :, None] / power[..., None, :]
        own = unbiased_self_overlap(
            np.diagonal(square, axis1=-2, axis2=-1), np.diagonal(fourth, axis1=-2, axis2=-1), n
        )
        shared = unbiased_overlap(square, fourth, n[..., None])
        return np.asarray(shared / np.sqrt(own[..., :, None] * own[..., None, :]))


@measured(PER_PAIR, "cka")
def _cka(moments: LayerMoments) -> NDArray[np.float64]:
    return cka_matrix_from_moments(moments.norms2)


@measured(PER_PAIR, "cka_debiased")
def _cka_debiased(moments: LayerMoments) -> NDArray[np.float64]:
    return cka_matrix_debiased_from_moments(
        moments.norms2, moments.quartic, moments.power, moments.n_rows
    )


@measured(PER_TRANSITION, "kernel_drift")
def _kernel_drift(moments: LayerMoments) -> NDArray[np.float64]:
    return 1.0 - between_neighbours(_cka(moments))


@measured(PER_TRANSITION, "kernel_drift_debiased")
def _kernel_drift_debiased(moments: LayerMoments) -> NDArray[np.float64]:
    return 1.0 - between_neighbours(_cka_debiased(moments))

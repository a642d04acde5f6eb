"""How much of a target a linear read-out finds in a layer, on samples it was not fitted to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class RegressionMoments:
    """Second moments of features x (d) and targets y (q) over the n rows of one half.

    Centred on the half's own means. Leading axes (...) are problems side by side.

    Attributes:
        n_rows: n.
        mean_x: (..., d).
        mean_y: (..., q).
        gram_xx: (..., d, d), X^T X.
        gram_xy: (..., d, q), X^T Y.
        power_y: (..., q), sum of y^2.
    """

    n_rows: int
    mean_x: NDArray[np.float64]
    mean_y: NDArray[np.float64]
    gram_xx: NDArray[np.float64]
    gram_xy: NDArray[np.float64]
    power_y: NDArray[np.float64]


def ridge_r2_from_moments(
    train: RegressionMoments, test: RegressionMoments, *, ridge: float = 1e-6
) -> NDArray[np.float64]:
    """R^2 on one half of a linear read-out with intercept fitted to the other; shape (..., q).

    W = (X^T X + ridge tr(X^T X) / d I)^-1 X^T Y on `train` (Hoerl & Kennard 1970); R^2 = 1 -
    SSE / SST on `test`, SST about the mean of `test`. At most 1; negative where the read-out is
    worse than that mean. Biased downwards: without any relation it is about -d / n.

    Args:
        train: the half that is fitted.
        test: the half that is scored; no row in common.
        ridge: penalty in units of the mean variance of a feature, above 0.

    Returns:
        nan where a half has fewer than two rows or a moment that is not finite, or where in
        either half the layer or the target does not vary.

    Raises:
        ValueError: ridge is out of range.
    """
    if not ridge > 0:
        raise ValueError(f"ridge is {ridge}; allowed: above 0")
    usable = _usable(train) & _usable(test)  # (...)
    eye = np.eye(train.gram_xx.shape[-1])
    gram = np.where(usable[..., None, None], train.gram_xx, eye)
    penalty = ridge * np.trace(gram, axis1=-2, axis2=-1)[..., None, None] / len(eye)
    aimed = np.where(usable[..., None, None], train.gram_xy, 0.0)
    weights = np.linalg.solve(gram + penalty * eye, aimed)  # (..., d, q)
    with np.errstate(invalid="ignore", divide="ignore"):  # replaced by nan below
        offset = test.mean_y - train.mean_y - _read_out(test.mean_x - train.mean_x, weights)
        missed = (
            test.power_y
            - 2.0 * (weights * test.gram_xy).sum(axis=-2)
            + (weights * (test.gram_xx @ weights)).sum(axis=-2)
            + test.n_rows * offset**2
        )  # (..., q)
        score = 1.0 - np.maximum(missed, 0.0) / test.power_y
    varies = (train.power_y > 0) & (test.power_y > 0)
    return np.where(usable[..., None] & varies, score, np.nan)


def ridge_r2_two_fold_from_moments(
    first: RegressionMoments, second: RegressionMoments, *, ridge: float = 1e-6
) -> NDArray[np.float64]:
    """Mean of `ridge_r2_from_moments` from the first half to the second and back; (..., q)."""
    there = ridge_r2_from_moments(first, second, ridge=ridge)
    back = ridge_r2_from_moments(second, first, ridge=ridge)
    return np.asarray((there + back) / 2.0)


def _read_out(x: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., d) features through (..., d, q) weights: (..., q)."""
    return np.asarray((x[..., None, :] @ weights)[..., 0, :])


def _usable(half: RegressionMoments) -> NDArray[np.bool_]:
    """Which problems (...) have a layer that varies, and finite moments."""
    vectors = np.concatenate([half.mean_x, half.mean_y, half.power_y], axis=-1)
    finite = np.isfinite(vectors).all(axis=-1)
    for gram in (half.gram_xx, half.gram_xy):
        finite = finite & np.isfinite(gram).all(axis=(-2, -1))
    varies = np.trace(half.gram_xx, axis1=-2, axis2=-1) > 0
    return np.asarray(finite & varies & (half.n_rows >= 2))

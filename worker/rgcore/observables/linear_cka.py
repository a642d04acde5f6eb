"""Linear centred kernel alignment: how alike two layers see the same samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rgcore.observables.centring import Rows, centred_pair, frobenius_norm


def linear_cka(x: Rows, y: Rows) -> float:
    """|X^T Y|^2 / (|X^T X| |Y^T Y|), Frobenius norms of centred matrices (Kornblith et al. 2019).

    The same number as the alignment of the n x n Gram matrices, for d^2 instead of n^2. Between 0
    and 1; blind to rotations and to a common scale of either layer. Biased upwards for small n.

    Args:
        x: (n, d), n samples.
        y: (n, e), the same samples in another layer.

    Returns:
        The alignment; nan if either has fewer than two rows, all rows equal, or an entry that is
        not finite.

    Raises:
        ValueError: either is not a matrix, or the numbers of rows differ.

    Example:
        >>> rows = np.random.default_rng(0).normal(size=(50, 3))
        >>> turned = 2.0 * rows[:, ::-1] + 5.0  # neither rotation, scale nor offset matters
        >>> round(linear_cka(rows, turned), 9)
        1.0
    """
    pair = centred_pair(x, y)
    if pair is None:
        return float("nan")
    first, second = pair
    return float(linear_cka_from_grams(first.T @ first, second.T @ second, first.T @ second))


def linear_cka_from_grams(
    gram_x: NDArray[np.float64], gram_y: NDArray[np.float64], cross: NDArray[np.float64]
) -> NDArray[np.float64]:
    """As `linear_cka`, from centred Gram matrices; shape (...).

    Args:
        gram_x: (..., d, d), X^T X.
        gram_y: (..., e, e), Y^T Y.
        cross: (..., d, e), X^T Y. nan where any is not finite, or X^T X or Y^T Y is zero.
    """
    norm_x, norm_y, norm = frobenius_norm(gram_x), frobenius_norm(gram_y), frobenius_norm(cross)
    with np.errstate(invalid="ignore", divide="ignore"):  # replaced by nan below
        aligned = np.minimum((norm / norm_x) * (norm / norm_y), 1.0)  # rounding may pass 1
    return np.where((norm_x > 0) & (norm_y > 0), aligned, np.nan)

"""Whether ranks are ordered by depth: Kendall's tau per seed, Page's trend test over seeds."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import page_trend_test, rankdata

TIE_DECIMALS = 6
"""Ranks that agree to so many decimals are a tie: float64 Gram matrices know them to 5e-8."""


def kendall_tau(profiles: ArrayLike) -> NDArray[np.float64]:
    """(rising pairs - falling pairs) / pairs of columns, per row: (S,). Ties are neither.

    Kendall 1938's tau-a: -1 only if every column is below the one before, 0 for a constant row.

    Args:
        profiles: (S, K) finite values, K >= 2.

    Example:
        >>> kendall_tau([[5.0, 4.0, 3.0], [3.0, 4.0, 5.0]])
        array([-1.,  1.])
    """
    values = np.round(np.asarray(profiles, dtype=np.float64), TIE_DECIMALS)
    first, second = np.triu_indices(values.shape[1], 1)
    return np.asarray(np.sign(values[:, second] - values[:, first]).mean(axis=1))


def spearman(profiles: ArrayLike) -> NDArray[np.float64]:
    """Rank correlation of each row with the column number, (S,), not corrected for ties.

    Its mean is Page's L brought to [-1, 1].

    Args:
        profiles: (S, K) finite values, K >= 2.

    Example:
        >>> spearman([[5.0, 4.0, 3.0], [3.0, 5.0, 4.0]]).round(6)
        array([-1. ,  0.5])
    """
    values = np.round(np.asarray(profiles, dtype=np.float64), TIE_DECIMALS)
    n = values.shape[1]
    columns = np.arange(n) - (n - 1) / 2.0
    return np.asarray(12.0 * rankdata(values, axis=1) @ columns / (n * (n**2 - 1)))


def page_p_value(profiles: ArrayLike) -> float | None:
    """One-sided p of Page's test for values that fall along the columns; rows are the raters.

    Page 1963. Its null is that all orders of a row are equally likely. Neighbouring layers are
    alike, so a depth profile that merely drifts passes it easily: never a verdict by itself.

    Args:
        profiles: (S, K) finite values.

    Returns:
        p; None for fewer than two rows or three columns, where the test does not exist.

    Example:
        >>> round(page_p_value([[5.0, 4.0, 3.0], [6.0, 4.0, 1.0]]), 6)  # one of 6 orders, twice
        0.027778
    """
    values = np.round(np.asarray(profiles, dtype=np.float64), TIE_DECIMALS)
    n_rows, n_columns = values.shape
    if n_rows < 2 or n_columns < 3:
        return None
    expected = np.arange(n_columns, 0, -1)
    return float(page_trend_test(values, predicted_ranks=expected).pvalue)

"""Effective rank: how many directions the residual stream uses, by entropy."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr

from rgcore.observables.centring import Rows, singular_values, without_noise
from rgcore.observables.registry import PER_LAYER, LayerMoments, measured


def effective_rank(x: Rows) -> float:
    """exp(-sum p_i ln p_i), p_i = s_i / sum s, s the singular values of the centred matrix.

    Roy & Vetterli 2007. Between 1 and min(n - 1, d).

    Args:
        x: (n, d), n samples.

    Returns:
        The rank; nan for fewer than two rows, all rows equal, or an entry that is not finite.

    Example:
        >>> rows = np.vstack([np.eye(3), -np.eye(3)])  # as much along each of three directions
        >>> round(effective_rank(rows), 9)
        3.0
    """
    values = singular_values(x)
    return float("nan") if values is None else float(_entropy_rank(values))


def effective_rank_from_spectrum(spectrum: ArrayLike) -> NDArray[np.float64]:
    """As `effective_rank`, from eigenvalues (..., d) of centred Gram matrices; shape (...).

    Args:
        spectrum: eigenvalues v = s^2 in any order; nan where all are zero or one is not finite.

    Example:
        >>> effective_rank_from_spectrum([[4.0, 4.0, 0.0], [9.0, 0.0, 0.0]]).round(9)
        array([2., 1.])
    """
    return _entropy_rank(np.sqrt(without_noise(spectrum)))


@measured(PER_LAYER, "effective_rank")
def _effective_rank(moments: LayerMoments) -> NDArray[np.float64]:
    return effective_rank_from_spectrum(moments.spectrum)


def _entropy_rank(values: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):  # 0 / 0 is the nan that is promised
        share = values / values.sum(axis=-1, keepdims=True)
        return np.asarray(np.exp(entr(share).sum(axis=-1)))

"""Stable rank: the variance in units of its largest direction."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rgcore.observables.centring import Rows, singular_values, without_noise
from rgcore.observables.registry import PER_LAYER, LayerMoments, measured


def stable_rank(x: Rows) -> float:
    """Sum v / max v, v the squared singular values of the centred matrix.

    The squared Frobenius norm over the squared spectral norm (Rudelson & Vershynin 2007).

    Args:
        x: (n, d), n samples.

    Returns:
        The rank; nan for fewer than two rows, all rows equal, or an entry that is not finite.

    Example:
        >>> rows = np.array([[3.0, 0.0], [-3.0, 0.0], [0.0, 1.0], [0.0, -1.0]])  # v = 18, 2
        >>> round(stable_rank(rows), 6)
        1.111111
    """
    values = singular_values(x)
    return float("nan") if values is None else float(_rank(values**2))


def stable_rank_from_spectrum(spectrum: ArrayLike) -> NDArray[np.float64]:
    """As `stable_rank`, from eigenvalues (..., d) of centred Gram matrices; shape (...).

    Args:
        spectrum: eigenvalues in any order; nan where all are zero or one is not finite.
    """
    return _rank(without_noise(spectrum))


@measured(PER_LAYER, "stable_rank")
def _stable_rank(moments: LayerMoments) -> NDArray[np.float64]:
    return stable_rank_from_spectrum(moments.spectrum)


def _rank(spectrum: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):  # 0 / 0 is the nan that is promised
        return np.asarray(spectrum.sum(axis=-1) / spectrum.max(axis=-1))

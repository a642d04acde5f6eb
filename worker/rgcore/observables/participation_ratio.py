"""Participation ratio: how many directions carry the variance."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rgcore.observables.centring import Rows, singular_values, without_noise
from rgcore.observables.registry import PER_LAYER, LayerMoments, measured


def participation_ratio(x: Rows) -> float:
    """(sum v)^2 / sum v^2, v the squared singular values of the centred matrix.

    Between 1 and min(n - 1, d). For finite n it lies below that of the covariance.

    Args:
        x: (n, d), n samples.

    Returns:
        The ratio; nan for fewer than two rows, all rows equal, or an entry that is not finite.

    Example:
        >>> rows = np.array([[3.0, 0.0], [-3.0, 0.0], [0.0, 1.0], [0.0, -1.0]])  # v = 18, 2
        >>> round(participation_ratio(rows), 6)  # (18 + 2)^2 / (18^2 + 2^2)
        1.219512
    """
    values = singular_values(x)
    return float("nan") if values is None else float(_ratio(values**2))


def participation_ratio_from_spectrum(spectrum: ArrayLike) -> NDArray[np.float64]:
    """As `participation_ratio`, from eigenvalues (..., d) of centred Gram matrices; shape (...).

    Args:
        spectrum: eigenvalues in any order; nan where all are zero or one is not finite.
    """
    return _ratio(without_noise(spectrum))


@measured(PER_LAYER, "participation_ratio")
def _participation_ratio(moments: LayerMoments) -> NDArray[np.float64]:
    return participation_ratio_from_spectrum(moments.spectrum)


def _ratio(spectrum: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):  # 0 / 0 is the nan that is promised
        share = spectrum / spectrum.sum(axis=-1, keepdims=True)
        return np.asarray(1.0 / (share**2).sum(axis=-1))

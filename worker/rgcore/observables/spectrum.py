"""The whole covariance spectrum of a layer, as shares of the variance."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rgcore.observables.centring import Rows, singular_values, without_noise
from rgcore.observables.registry import PER_DIMENSION, LayerMoments, measured


def spectrum(x: Rows) -> NDArray[np.float64]:
    """V / sum v, falling, v the squared singular values of the centred matrix.

    Args:
        x: (n, d), n samples.

    Returns:
        (d,), summing to 1, zero beyond the rank; all nan for fewer than two rows, all rows equal,
        or an entry that is not finite.

    Example:
        >>> rows = np.array([[3.0, 0.0], [-3.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
        >>> spectrum(rows).round(9)
        array([0.9, 0.1])
    """
    values = singular_values(x)
    if values is None:
        return np.full(np.shape(x)[1], np.nan)
    return _shares(values**2)


def spectrum_from_spectrum(spectrum: ArrayLike) -> NDArray[np.float64]:
    """As `spectrum`, from eigenvalues (..., d) of centred Gram matrices; same shape, falling.

    Args:
        spectrum: eigenvalues in any order; nan where all are zero or one is not finite.
    """
    return _shares(np.sort(without_noise(spectrum), axis=-1)[..., ::-1])


@measured(PER_DIMENSION, "spectrum")
def _spectrum(moments: LayerMoments) -> NDArray[np.float64]:
    return spectrum_from_spectrum(moments.spectrum)


def _shares(values: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):  # 0 / 0 is the nan that is promised
        return np.asarray(values / values.sum(axis=-1, keepdims=True))

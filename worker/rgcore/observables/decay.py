"""Correlation length of a layer, from how its correlation falls with distance."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rgcore.observables.centring import EPSILON


class Decay(NamedTuple):
    """A correlation length, or why there is none.

    Attributes:
        length: (...), in the unit of the lag; nan where there is a code.
        code: (...), empty, `not_finite`, `decays_within_a_lag` or `does_not_decay`.
    """

    length: NDArray[np.float64]
    code: NDArray[np.str_]


def decay_length(correlation: ArrayLike, least: float = 0.02) -> Decay:
    """-1 / slope of the least-squares line through ln(C(r) / C(0)), r = 0..r*.

    r* is the last lag before C(r) / C(0) first falls below `least`, or R if it never does: noise
    beyond would tilt the line. Exact for C(r) = C(0) exp(-r / xi); for a sum of exponentials, the
    mean slope down to `least`. A length much above R is an extrapolation.

    Args:
        correlation: (..., R + 1), C(0), C(1), ..., C(R), R >= 2.
        least: smallest C(r) / C(0) that is told from noise, between 0 and 1.

    Returns:
        nan with the code `not_finite` where an entry is not finite or C(0) is not positive,
        `decays_within_a_lag` where r* < 2, too few points for a line, and `does_not_decay` where
        the slope is not negative.

    Raises:
        ValueError: fewer than three lags, or least is out of range.
    """
    values = np.asarray(correlation, dtype=np.float64)
    if values.ndim == 0 or values.shape[-1] < 3:
        raise ValueError(f"correlation has shape {values.shape}; allowed: (..., R + 1), R >= 2")
    if not 0 < least < 1:
        raise ValueError(f"least is {least}; allowed: between 0 and 1")
    finite = np.isfinite(values).all(axis=-1) & (values[..., 0] > 0)  # (...)
    values = np.where(finite[..., None], values, 1.0)
    share = values / values[..., :1]
    used = np.logical_and.accumulate(share >= least, axis=-1)  # r <= r*
    last = used.sum(axis=-1) - 1  # r*, (...)
    lag = np.arange(share.shape[-1]) - last[..., None] / 2.0  # centred on the mean of 0..r*
    log_share = np.log(np.where(used, share, 1.0))  # zero beyond r*
    with np.errstate(invalid="ignore", divide="ignore"):  # one point: replaced by nan below
        slope = (lag * log_share).sum(axis=-1) / np.where(used, lag**2, 0.0).sum(axis=-1)
        length = -1.0 / slope
    code = np.full(finite.shape, "", dtype="<U19")
    code[~(slope < -EPSILON)] = "does_not_decay"  # a smaller slope is rounding
    code[last < 2] = "decays_within_a_lag"
    code[~finite] = "not_finite"
    return Decay(np.where(code == "", length, np.nan), code)

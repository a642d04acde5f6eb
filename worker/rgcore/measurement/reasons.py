"""Why a number does not exist, entry by entry."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

REASONS: dict[str, str] = {
    "no_drift": "no transition between layers changes anything",
    "below_noise": "an unbiased estimate that is divided by is not above zero",
    "decays_within_a_lag": "the correlation is lost within two tokens: too few points for a line",
    "does_not_decay": "the correlation does not fall with distance",
    "too_few_lags": "fewer than three tokens: too few points for a line",
    "constant_target": "what is to be read does not vary",
    "no_irrelevant_tokens": "too few hidden tokens have two visible ones to each side in view",
    "too_few_rows": "too few rows for the estimator",
    "too_large": "all pairs of layers together do not fit in memory",
    "constant_layer": "all rows are equal, up to the rounding of the activations",
    "not_finite": "an activation is inf or nan",
    "no_memory": "the chain has no memory, hence nothing to be read of a hidden token",
    "no_full_context": "no position has its whole window inside the sequence",
}
"""Reason of a nan, to what it means. Of several, the last counts."""

Codes = NDArray[np.uint8]
"""Reasons by their place in `REASONS`, counted from 1; 0 for none."""
CODE = {reason: np.uint8(place) for place, reason in enumerate(REASONS, start=1)}


def coded(array: NDArray[np.float64], codes: Codes, otherwise: str) -> Codes:
    """The codes (broadcast to the array) where the array is nan, 0 elsewhere.

    Args:
        array: any shape.
        codes: that broadcast to it.
        otherwise: the reason of a nan whose code is 0.
    """
    filled = np.where(codes > 0, codes, CODE[otherwise])
    return np.where(np.isnan(array), filled, np.uint8(0)).astype(np.uint8)


def spelled(codes: dict[str, Codes]) -> dict[str, dict[int, str]]:
    """By name of an array: flat index to reason, where there is one."""
    names = list(REASONS)
    found = {}
    for name, code in codes.items():
        flat = code.ravel()
        if where := np.flatnonzero(flat).tolist():
            found[name] = {index: names[flat[index] - 1] for index in where}
    return found

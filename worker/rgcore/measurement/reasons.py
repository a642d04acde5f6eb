"""Why a number does not exist, entry by entry."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

REASONS = (
    "no_drift",
    "below_noise",
    "decays_within_a_lag",
    "does_not_decay",
    "too_few_lags",
    "constant_target",
    "no_irrelevant_tokens",
    "too_few_rows",
    "too_large",
    "constant_layer",
    "not_finite",
    "no_memory",
    "no_full_context",
)
"""Reasons of a nan; of several, the last counts. `rgcontract.observables` says what they mean."""

Codes = NDArray[np.uint8]
"""Reasons by their place in `REASONS`, counted from 1; 0 for none."""
CODE = {reason: np.uint8(place) for place, reason in enumerate(REASONS, start=1)}


def coded(array: NDArray[np.float64], codes: Codes | np.uint8, otherwise: str) -> Codes:
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
    found = {}
    for name, code in codes.items():
        flat = code.ravel()
        if where := np.flatnonzero(flat).tolist():
            found[name] = {index: REASONS[flat[index] - 1] for index in where}
    return found

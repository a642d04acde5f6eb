"""How many dimensions a layer uses. All are 1 for one direction and d for an isotropic layer."""

from __future__ import annotations

import numpy as np

from rgcore.observables.spectrum import Array, Floats, values_of


def effective_rank(x: Array) -> float:
    """exp(-sum p_i ln p_i), p_i = s_i / sum s, of the centred (n, d) array.

    s are the singular values, not their squares. Source: Roy & Vetterli 2007. NaN for a constant
    layer, fewer than two rows, or input that is not finite.
    """
    return float(effective_rank_from_spectrum(values_of(x)))


def participation_ratio(x: Array) -> float:
    """(sum v)^2 / sum v^2 with v = s^2 of the centred (n, d) array. NaN as `effective_rank`."""
    return float(participation_ratio_from_spectrum(values_of(x)))


def stable_rank(x: Array) -> float:
    """Sum v / max v with v = s^2 of the centred (n, d) array. NaN as `effective_rank`."""
    return float(stable_rank_from_spectrum(values_of(x)))


def effective_rank_from_spectrum(v: Floats) -> Floats:
    """`effective_rank` from squared singular values; (..., d) -> (...)."""
    s = np.sqrt(v)
    with np.errstate(invalid="ignore", divide="ignore"):
        p = s / s.sum(axis=-1, keepdims=True)
    entropy = -np.sum(p * np.log(np.where(p > 0, p, 1.0)), axis=-1)
    return np.exp(entropy)  # type: ignore[no-any-return]


def participation_ratio_from_spectrum(v: Floats) -> Floats:
    """`participation_ratio` from squared singular values; (..., d) -> (...)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        p = v / v.sum(axis=-1, keepdims=True)  # normalised first: v^2 may underflow
        return 1.0 / np.sum(p**2, axis=-1)  # type: ignore[no-any-return]


def stable_rank_from_spectrum(v: Floats) -> Floats:
    """`stable_rank` from squared singular values; (..., d) -> (...)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return v.sum(axis=-1) / v.max(axis=-1)  # type: ignore[no-any-return]

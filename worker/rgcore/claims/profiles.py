"""Depth profiles of several conditions, paired seed by seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def paired_profiles(least_columns: int, **profiles: ArrayLike) -> list[NDArray[np.float64]]:
    """The profiles as float64 arrays, (S, K) each; K may differ between them.

    Raises:
        ValueError: not two-dimensional, too few columns, no seed, or different numbers of seeds.
    """
    arrays = [np.asarray(profile, dtype=np.float64) for profile in profiles.values()]
    for name, array in zip(profiles, arrays, strict=True):
        if array.ndim != 2 or array.shape[0] < 1 or array.shape[1] < least_columns:
            allowed = f"(S, K), S >= 1, K >= {least_columns}"
            raise ValueError(f"{name} has shape {array.shape}; allowed: {allowed}")
        if len(array) != len(arrays[0]):
            first = next(iter(profiles))
            raise ValueError(
                f"{name} has {len(array)} seeds; allowed: the {len(arrays[0])} of {first}, "
                "in the same order"
            )
    return arrays


def complete_seeds(*ranks: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Seeds whose ranks are finite and positive in every condition, (S,)."""
    good = [(np.isfinite(values) & (values > 0)).all(axis=1) for values in ranks]
    return np.asarray(np.logical_and.reduce(good))


def log_collapse(ranks: NDArray[np.float64], kept: NDArray[np.bool_]) -> NDArray[np.float64]:
    """ln(rank_L / rank_0) per seed, (S,); nan for seeds that are not kept."""
    ends = np.where(kept[:, None], ranks[:, [0, -1]], np.nan)
    return np.asarray(np.log(ends[:, 1]) - np.log(ends[:, 0]))


def spread(values: NDArray[np.float64], kept: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Values of the kept seeds at their places among all seeds, nan elsewhere: (S,)."""
    placed = np.full(len(kept), np.nan)
    placed[kept] = values
    return placed

"""Mean and error bar over seeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Summary:
    """A quantity over S seeds; every array has the quantity's shape."""

    mean: Floats
    standard_error: Floats
    """Sample standard deviation / sqrt(S)."""
    low: Floats
    high: Floats
    """Bootstrap interval of the mean."""
    n: int
    """S."""


def summarise(
    values: Floats, *, confidence: float = 0.95, n_resamples: int = 2000, seed: int = 0
) -> Summary:
    """Mean, standard error and percentile bootstrap interval over the first axis.

    Seeds are resampled whole, so that entries of one seed stay together (Efron 1979). With few
    seeds the percentile interval is too narrow: at S = 3 it covers about 75 % instead of 95 %.

    Args:
        values: (S, ...), NaN where a seed has no number; the entry is then NaN in all.
        confidence: level of the interval.
        n_resamples: bootstrap resamples.
        seed: of the resampling; the same values give the same interval.

    Returns:
        The summary; standard error and interval are NaN for a single seed.
    """
    n = len(values)
    mean = values.mean(axis=0)
    if n < 2:
        nothing = np.full(mean.shape, np.nan)
        return Summary(mean, nothing, nothing, nothing, n)
    standard_error = values.std(axis=0, ddof=1) / np.sqrt(n)
    draws = np.random.default_rng(seed).integers(n, size=(n_resamples, n))
    weights = np.zeros((n_resamples, n))
    np.add.at(weights, (np.arange(n_resamples)[:, None], draws), 1.0 / n)
    means = weights @ values.reshape(n, -1)  # (n_resamples, size)
    tail = (1.0 - confidence) / 2
    low, high = np.quantile(means, [tail, 1.0 - tail], axis=0)
    return Summary(mean, standard_error, low.reshape(mean.shape), high.reshape(mean.shape), n)

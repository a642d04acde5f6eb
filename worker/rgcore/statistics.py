"""A quantity over seeds: mean, standard error and bootstrap interval. Needs no torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

CHUNK_VALUES = 2**22
"""Resampled means held at a time: 32 MiB."""

ONE_CHAIN = "training seeds, chain fixed"
SEVERAL_CHAINS = "chains and training seeds"


@dataclass(frozen=True, eq=False)
class Summary:
    """A quantity over S seeds; every array has the shape of the quantity, and its unit.

    Attributes:
        mean: over the seeds.
        standard_error: of the mean: sample standard deviation (S - 1) over sqrt(S).
        low: lower end of the bootstrap interval of the mean.
        high: its upper end.
        n: S.
        n_groups: chains that the seeds belong to.
        over: what the error bar is over, `ONE_CHAIN` or `SEVERAL_CHAINS`.
    """

    mean: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    n: int
    n_groups: int
    over: str


def summarise(
    values: ArrayLike,
    *,
    groups: Sequence[int] | None = None,
    confidence: float = 0.95,
    n_resamples: int = 2000,
    seed: int = 0,
) -> Summary:
    """Summarise over the first axis, with the percentile bootstrap (Efron 1979) over seeds.

    All entries share their resamples, and the same arguments give the same interval. With few
    seeds the interval is too narrow: at S = 3 it cannot leave the range of three numbers. An
    entry that is not finite in any seed is nan in everything. One seed has a mean and no error:
    the rest is nan.

    Rows of several groups (quenched disorder: each chain is one draw of a random matrix) are
    averaged within their group first, and mean, error and bootstrap are those of the G group
    means, whatever their sizes: the chains are then the sample.

    Args:
        values: (S, ...), one row per seed.
        groups: the chain seed of each row; None if all are of one chain.
        confidence: coverage of the interval, between 0 and 1.
        n_resamples: bootstrap resamples.
        seed: draws the resamples.

    Raises:
        ValueError: no seed at all, not one group per seed, or a confidence or number of resamples
            out of range.

    Example:
        >>> summary = summarise([1.0, 2.0, 3.0])
        >>> float(summary.mean), round(float(summary.standard_error), 6)
        (2.0, 0.57735)
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 0 or len(array) == 0:
        raise ValueError(f"values have shape {array.shape}; allowed: (S, ...) with S >= 1")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; allowed: between 0 and 1")
    if n_resamples < 1:
        raise ValueError(f"n_resamples is {n_resamples}; allowed: 1 or more")
    if groups is not None and len(groups) != len(array):
        raise ValueError(f"groups has {len(groups)} entries; allowed: {len(array)}, one per seed")
    n, shape = len(array), array.shape[1:]
    columns = array.reshape(n, -1)  # (S, K)
    columns = np.where(np.isfinite(columns).all(axis=0), columns, np.nan)
    names = [0] if groups is None else sorted(set(groups))
    if groups is not None and len(names) > 1:
        chain = np.asarray(groups)
        columns = np.array([columns[chain == name].mean(axis=0) for name in names])  # (G, K)
    mean = columns.mean(axis=0)
    error = low = high = np.full_like(mean, np.nan)
    if len(columns) > 1:
        error = columns.std(axis=0, ddof=1) / np.sqrt(len(columns))
        low, high = _interval(columns - mean, confidence, n_resamples, seed)
        low, high = mean + low, mean + high
    return Summary(
        mean=mean.reshape(shape),
        standard_error=error.reshape(shape),
        low=low.reshape(shape),
        high=high.reshape(shape),
        n=n,
        n_groups=len(names),
        over=ONE_CHAIN if len(names) == 1 else SEVERAL_CHAINS,
    )


@dataclass(frozen=True)
class RunSummary:
    """A quantity over runs; flat arrays as plain numbers.

    Attributes:
        mean, standard_error, low, high: as in `Summary`.
        half_shift: mean of (value from all samples - value from the first half of them), over what
            the mean is over; None if the half of a run is not known.
    """

    mean: list[float]
    standard_error: list[float]
    low: list[float]
    high: list[float]
    half_shift: list[float] | None


def summarise_runs(
    values: Sequence[Sequence[float]],
    halves: Sequence[Sequence[float] | None],
    *,
    chains: Sequence[int],
    confidence: float,
) -> RunSummary:
    """Mean, error and interval of a quantity: over seeds, or over chains if there are several.

    Runs of one chain share its draw: with several chains, they are what is sampled.

    Args:
        values: (R, size), a row for each run, from all samples.
        halves: the same from the first half of the samples.
        chains: the chain seed of each run.
        confidence: coverage of the interval.
    """
    whole = np.array(values)
    summary = summarise(whole, confidence=confidence, groups=chains)
    known = [half for half in halves if half is not None]
    shift = None
    if len(known) == len(whole):
        shifts = whole - np.array(known)
        shift = summarise(shifts, groups=chains, n_resamples=1).mean.tolist()
    return RunSummary(
        mean=summary.mean.tolist(),
        standard_error=summary.standard_error.tolist(),
        low=summary.low.tolist(),
        high=summary.high.tolist(),
        half_shift=shift,
    )


def _interval(
    deviations: NDArray[np.float64], confidence: float, n_resamples: int, seed: int
) -> NDArray[np.float64]:
    """Percentiles of the resampled means of (S, K) deviations from the mean: (2, K)."""
    n, width = deviations.shape
    counts, times = _resamples(n, n_resamples, seed)  # (D, S), (D,)
    tail = (1.0 - confidence) / 2.0
    ends = np.empty((2, width))
    for begin in range(0, width, max(1, CHUNK_VALUES // len(counts))):
        part = slice(begin, begin + max(1, CHUNK_VALUES // len(counts)))
        means = counts @ deviations[:, part] / n  # (D, k)
        ends[:, part] = _quantiles(means, times, (tail, 1.0 - tail))
    return ends


@lru_cache(maxsize=64)
def _resamples(
    n: int, n_resamples: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The distinct resamples of n rows, as how often each row is in it, and how often each came.

    Of 3 rows there are 10: sorting those is all that 2000 resamples take.
    """
    drawn = np.random.default_rng(seed).integers(n, size=(n_resamples, n))
    counts = np.zeros((n_resamples, n))
    np.add.at(counts, (np.arange(n_resamples)[:, None], drawn), 1.0)
    return np.unique(counts, axis=0, return_counts=True)


def _quantiles(
    values: NDArray[np.float64], times: NDArray[np.int64], at: Sequence[float]
) -> NDArray[np.float64]:
    """Quantiles along the first axis of (D, k) values that came so many times each, (q, k).

    Interpolated as `numpy.quantile` does by default.
    """
    if 2 * len(times) > times.sum():  # hardly any came twice
        return np.quantile(np.repeat(values, times, axis=0), at, axis=0)
    order = np.argsort(values, axis=0)
    sorted_values = np.take_along_axis(values, order, axis=0)
    ranks = np.cumsum(times[order], axis=0)  # of the last of each
    found = np.empty((len(at), values.shape[1]))
    for row, quantile in enumerate(at):
        place = quantile * (int(times.sum()) - 1)
        below, above = (
            np.take_along_axis(sorted_values, (ranks <= rank).sum(axis=0)[None], axis=0)[0]
            for rank in (math.floor(place), math.ceil(place))
        )
        found[row] = below + (above - below) * (place - math.floor(place))
    return found

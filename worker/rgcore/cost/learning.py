"""How far a machine is from the shipped prices, learnt from what it has done.

The prices are of one core of one machine. How much faster or slower another one is, and how far the
model is off for runs of one class, a factor says: the median of measured over modelled seconds.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from rgcore.architecture import Architecture
from rgcore.cost.prices import ONE_CORE, SPREAD
from rgcore.cost.run import run_cost
from rgcore.cost.work import Counts
from rgcore.mixing import MIXINGS

FEWEST = 3
"""Attempts below which nothing is learnt: one may have met a busy machine."""
WIDTH = 1.645
"""Standard deviations to each side that hold nine in ten."""
QUARTILES = 1.349
"""Standard deviations between the quartiles of a normal law."""
OF_A_MEDIAN = math.pi / 2
"""Variance of a median over that of a mean."""
PRIOR = 5
"""Attempts that the spread of the model itself is worth, beside that of those that are there."""
OF_MACHINES = 0.7
"""Standard deviation of ln(measured / modelled) over machines that nothing is known of: three in
ten are off by more than a factor of two. A guess: the prices are of one machine."""


class Source(StrEnum):
    """Where a factor is from."""

    SHAPE = "shape"
    """Runs of its class on that backend."""
    BACKEND = "backend"
    """All runs on that backend: of its class there are too few."""
    DEFAULT = "default"
    """No runs: what one core does."""


@dataclass(frozen=True)
class Sample:
    """What attempts say of ln(measured / modelled).

    Attributes:
        n: attempts.
        low: quartile.
        median: of them.
        high: quartile.
    """

    n: int
    low: float
    median: float
    high: float


@dataclass(frozen=True)
class Factor:
    """What modelled seconds are multiplied by.

    Attributes:
        middle: median.
        low: nine in ten runs take more than this and
        high: less than this.
        source: where it is from.
        n: attempts that say so.
    """

    middle: float
    low: float
    high: float
    source: Source
    n: int


def factor(of_class: Sample | None, of_backend: Sample | None) -> Factor:
    """The factor for runs of a class on a backend; 1 where too few have run.

    The width is that of a prediction: the spread of the attempts, drawn towards that of the model
    while they are few, and the error of their median.

    Args:
        of_class: attempts of the class on the backend, if there are any.
        of_backend: all on the backend, if there are any.
    """
    for sample, source in ((of_class, Source.SHAPE), (of_backend, Source.BACKEND)):
        if sample is not None and sample.n >= FEWEST:
            own = (sample.high - sample.low) / QUARTILES
            square = (sample.n * own**2 + PRIOR * SPREAD**2) / (sample.n + PRIOR)
            spread = math.sqrt(square * (1 + OF_A_MEDIAN / sample.n))
            return _around(sample.median, spread, source, sample.n)
    return _around(0.0, OF_MACHINES, Source.DEFAULT, 0)


def _around(median: float, spread: float, source: Source, n: int) -> Factor:
    low, middle, high = (math.exp(median + side * WIDTH * spread) for side in (-1, 0, 1))
    return Factor(middle, low, high, source, n)


@lru_cache(maxsize=1)
def model_name() -> str:
    """Name of the shipped prices and the counts: what another model says is not compared."""
    return name_of(ONE_CORE)


def name_of(prices: Counts) -> str:
    """A digest of the seconds of a run of each mixing, by units: whatever changes them changes it.

    Args:
        prices: seconds of each unit.
    """
    seconds = []
    for mixing, row in MIXINGS.items():
        arch = Architecture(
            n_states=16, seq_len=32, mixing=mixing, context=3, depth=8, width=64, hidden_ratio=4.0,
            activation="gelu", norm="layer", residual_scale=1.0, init_scale=1.0,
        )  # fmt: skip
        cost = run_cost(
            arch, steps=1000, batch_size=128, mask_prob=0.15, n_sequences=4096,
            levels=frozenset(row.levels), arrays=[("layer",)], moments=1,
        )  # fmt: skip
        # digits that no other mathematics library rounds otherwise
        seconds += [f"{name} {count * prices[name]:.6g}" for name, count in cost.counts.items()]
    return hashlib.sha256("\n".join(seconds).encode()).hexdigest()[:12]

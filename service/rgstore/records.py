"""What a worker hands to the store: plain values, no database, no tensors."""

from __future__ import annotations

from dataclasses import dataclass

NETWORK_LEVEL = "network"
"""The level of quantities that belong to the network as a whole: its losses."""


@dataclass(frozen=True)
class Quantity:
    """One measured quantity of one run, flat, with its shape."""

    when: str
    step: int
    level: str
    quantity: str
    n_rows: int
    shape: list[int]
    values: list[float]
    reasons: dict[str, list[int]]

    @property
    def key(self) -> tuple[str, str, str]:
        """What names it within a run."""
        return self.when, self.level, self.quantity


@dataclass(frozen=True)
class ChainRecord:
    """What is known exactly of a chain; `transition` row by row."""

    family: str
    n_states: int
    corr_len: float
    entropy_rate: float
    unigram_entropy: float
    eigenvalues_real: list[float]
    eigenvalues_imag: list[float]
    stationary: list[float]
    transition: list[float]


@dataclass(frozen=True)
class RunRecord:
    """All that a worker stores of a finished run."""

    seconds: float
    curve_steps: list[int]
    curve_losses: list[float]
    chain: ChainRecord
    quantities: list[Quantity]


@dataclass(frozen=True)
class SeedValues:
    """One quantity over the measured seeds of an experiment, in the order of the seeds."""

    seeds: list[int]
    of_seed: list[Quantity]


@dataclass(frozen=True)
class Summary:
    """Mean and error bar of a quantity over seeds; flat arrays."""

    mean: list[float]
    standard_error: list[float]
    low: list[float]
    high: list[float]
    reasons: dict[str, list[int]]


CONFIDENCE = 0.95
"""Level of every interval over seeds."""
INTERVAL_METHOD = "percentile bootstrap of the mean over seeds, 2000 resamples"

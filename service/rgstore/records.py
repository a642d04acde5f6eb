"""What a worker hands to the store: plain values, no database, no tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rgcontract import IMPLEMENTED, Protocols

TORCH = "torch"
"""Begins what is said of whoever trained, where that was torch."""


Key = tuple[str, str, str]
"""When, level, quantity."""


def moment_name(step: int, steps: int) -> str:
    """What `Quantity.when` calls the moment after a step, in a training of so many steps."""
    return "final" if step == steps else f"step_{step}"


@dataclass(frozen=True)
class Quantity:
    """One measured quantity of one run, flat, with its shape."""

    when: str
    step: int
    level: str
    quantity: str
    n_rows: int
    estimator: str
    shape: list[int]
    values: list[float]
    half: list[float] | None
    """The same from the first half of the samples."""
    reasons: dict[str, list[int]]

    @property
    def key(self) -> Key:
        """What names it within a run."""
        return self.when, self.level, self.quantity


@dataclass(frozen=True)
class ChainRecord:
    """What is known exactly of a chain; `transition` row by row."""

    seed: int
    seq_len: int
    family: str
    n_states: int
    corr_len: float
    reversible: bool
    scale_corr_lens: list[float] | None
    mutual_information: list[float]
    entropy_rate: float
    unigram_entropy: float
    eigenvalues_real: list[float]
    eigenvalues_imag: list[float]
    stationary: list[float]
    transition: list[float]
    corr_len_error: float | None = None
    """None where rounding leaves it open."""


@dataclass(frozen=True)
class Weights:
    """The weights after so many steps, as bytes."""

    step: int
    data: bytes


@dataclass(frozen=True)
class Training:
    """What is left of a training: its loss curve and weights."""

    curve_steps: list[int]
    curve_losses: list[float]
    weights: list[Weights]


@dataclass(frozen=True)
class RunRecord:
    """All that a worker stores of a finished run."""

    seconds: float
    trained: bool
    """False if it measured stored weights."""
    training: Training
    chain: ChainRecord
    quantities: list[Quantity]
    protocols: Protocols = IMPLEMENTED
    """Of the code that measured it, which is where the record is made."""
    fleet: int = 1
    """Runs that were trained together, this one included."""
    backend: str | None = None
    """What trained it, in words; None where nothing did."""


RunKey = tuple[int, int]
"""(chain seed, training seed)."""


class Numbers(Protocol):
    """Mean and error bar of a quantity over runs; flat arrays of plain floats."""

    @property
    def mean(self) -> list[float]: ...  # noqa: D102
    @property
    def standard_error(self) -> list[float]: ...  # noqa: D102
    @property
    def low(self) -> list[float]: ...  # noqa: D102
    @property
    def high(self) -> list[float]: ...  # noqa: D102
    @property
    def half_shift(self) -> list[float] | None: ...  # noqa: D102


class Summarise(Protocol):
    """The one way from runs to an error bar, `rgcore.statistics.summarise_runs`."""

    def __call__(
        self,
        values: Sequence[Sequence[float]],
        halves: Sequence[Sequence[float] | None],
        *,
        chains: Sequence[int],
        confidence: float,
    ) -> Numbers:
        """Of a row of values for each run, and of the same from half of the samples."""


@dataclass(frozen=True)
class Summary:
    """One quantity of an experiment over runs of it, with its error bar; flat arrays."""

    when: str
    level: str
    quantity: str
    step: int
    n_rows: int
    estimator: str
    shape: list[int]
    n_runs: int
    mean: list[float]
    standard_error: list[float]
    low: list[float]
    high: list[float]
    half_shift: list[float] | None
    reasons: dict[str, list[int]]

    @property
    def key(self) -> Key:
        """What names it."""
        return self.when, self.level, self.quantity


CONFIDENCE = 0.95
"""Level of every interval."""
INTERVAL_METHOD = "percentile bootstrap of the mean, 2000 resamples"

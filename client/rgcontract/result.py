"""A measurement as the wire carries it: every number with its error bar."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from rgcontract.spec import ExperimentSpec
from rgcontract.status import State, View

Numbers = Any
"""Nested lists of numbers, null where a number is not defined (the reason stands beside it)."""


class Estimate(View):
    """A quantity over seeds. Arrays are nested lists of the given shape."""

    shape: list[int]
    """`[]` for one number, `[L + 1]` per layer, `[L]` per transition between layers."""
    mean: Numbers
    standard_error: Numbers
    """Sample standard deviation over seeds / sqrt(seeds); null for a single seed."""
    low: Numbers
    high: Numbers
    """Bootstrap interval of the mean over seeds, at `confidence`."""
    per_seed: dict[str, Numbers] | None = None
    """The value of each seed; null for the large arrays."""
    reasons: dict[str, list[int]] = Field(default_factory=dict)
    """Why a number is null: reason -> flat indexes."""


class ChainFacts(View):
    """What is known exactly of the chain."""

    family: str
    n_states: int
    corr_len: float
    """tokens"""
    eigenvalues_real: list[float]
    eigenvalues_imag: list[float]
    stationary: list[float]
    transition: list[list[float]]
    """Row-stochastic: P[i][j] = Pr(next is j | now is i)."""
    entropy_rate: float
    """nats per token"""
    unigram_entropy: float
    """Entropy of the stationary law, nats: the loss of a guesser who sees nothing."""


class Losses(View):
    """The masked-token loss beside the best possible, on the very same masks; nats."""

    loss: Estimate
    bayes_loss: Estimate
    excess_loss: Estimate
    """loss - bayes_loss"""
    gap_fraction: Estimate
    """excess_loss / (unigram entropy - bayes_loss): 0 is optimal, 1 knows only frequencies."""


class LevelResult(View):
    """The observables of one kind of rows."""

    level: str
    n_rows: int
    """Rows behind each matrix, per seed (for `position`, of each position)."""
    quantities: dict[str, Estimate]


class Snapshot(View):
    """The network at one moment of its training."""

    when: str
    """`initial` or `final`."""
    step: int
    losses: Losses
    under_trained: bool
    """Whether any seed is more than 5 % of the gap above the Bayes-optimal loss."""
    levels: list[LevelResult]


class TrainingCurve(View):
    """Training loss of one seed; each point is a mean over the steps since the one before."""

    seed: int
    steps: list[int]
    losses: list[float]


class Result(View):
    """The measurement of an experiment over its seeds."""

    id: str
    spec_hash: str
    protocol: int
    state: State
    spec: ExperimentSpec
    seeds: list[int]
    """The seeds these numbers are over."""
    confidence: float
    """Level of every interval."""
    interval_method: str
    chain: ChainFacts
    snapshots: list[Snapshot]
    training: list[TrainingCurve]
    under_trained: bool
    """Of the final network: do not believe its rank yet."""

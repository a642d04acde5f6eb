"""A measurement as the wire carries it: every number with its error bar."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from rgcontract.spec import StoredSpec
from rgcontract.status import State, View
from rgcontract.unknown import OrAsTold

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
    """Bootstrap interval of the mean, at `confidence`; `error_bar` of the result says over what."""
    n: int = 0
    """Samples behind each number: rows of one matrix, or masked tokens for a loss."""
    estimator: str = ""
    """How the number is estimated from the samples, and its known bias."""
    half_shift: Numbers = None
    """Mean of (value from n samples - value from the first n/2): what more samples may change."""
    per_seed: dict[str, Numbers] | None = None
    """The value of each run, null for the large arrays. Keys are training seeds, or
    `chain seed/training seed` where an experiment has several chains."""
    reasons: dict[str, list[int]] = Field(default_factory=dict)
    """Why a number is null: reason -> flat indexes."""


class ChainFacts(View):
    """What is known exactly of the chain."""

    seed: int
    """Draws the matrix of a random family."""
    family: str
    n_states: int
    corr_len: float
    """tokens; 0 for a chain without memory"""
    corr_len_error: float | None = None
    """How far rounding the entries of the matrix, each in its last place, may move it, tokens;
    null where that leaves it open, or the chain was measured before this was worked out."""
    reversible: bool
    """Whether it is in detailed balance; its eigenvalues are then real."""
    scale_corr_lens: list[float] | None
    """tokens, finest scale first, for a hierarchical chain"""
    mutual_information: list[float]
    """I(x_t; x_{t+r}) in nats for r = 1 .. seq_len - 1"""
    eigenvalues_real: list[float]
    eigenvalues_imag: list[float]
    stationary: list[float]
    transition: list[list[float]] | None = None
    """Row-stochastic: P[i][j] = Pr(next is j | now is i). Null where it is left out, see `left_out`
    of the result."""
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
    visible_bayes_loss: Estimate | None = None
    """The least that any reader can expect of the tokens that this architecture sees; null under
    `protocol` 1, as is the next."""
    view_fraction: Estimate | None = None
    """(visible_bayes_loss - bayes_loss) / (unigram entropy - bayes_loss): what it cannot see."""


class LevelResult(View):
    """The observables of one kind of rows."""

    level: str
    n_rows: int
    """Rows behind each matrix, per seed (for `position`, of each position)."""
    too_few_samples: bool
    """Fewer than ten rows per dimension, or an effective rank that moves by more than 1 % between
    n/2 and n, in any run."""
    quantities: dict[str, Estimate]


class Snapshot(View):
    """The network at one moment of its training."""

    when: str
    """`initial`, `step_N`, `final`; `shuffled`: the final network on sequences of the same
    stationary law without memory."""
    step: int
    losses: Losses
    under_trained: bool
    """Whether any run is more than 5 % of (unigram entropy - bayes_loss) above the least loss
    possible for the tokens it sees."""
    levels: list[LevelResult]
    network: LevelResult | None = None
    """What belongs to no level: relevance, correlation-length flow."""


class TrainingCurve(View):
    """Training loss of one seed; each point is a mean over the steps since the one before."""

    seed: int
    chain_seed: int
    steps: list[int]
    losses: list[float]


class LeftOut(View):
    """Arrays that are stored, and are not in an answer which is to stay small."""

    name: str
    """What they are: an observable, or `transition` of the chains."""
    numbers: int
    """In all of them, without error bars."""
    url: str
    """Where they are; of `{chain_seed}` in it there is one for each of `chain_seeds`."""


class Result(View):
    """The measurement of an experiment: all of it is over the seeds that were asked about."""

    id: str
    spec_hash: str
    protocol: int
    state: OrAsTold[State]
    """Of the runs of those seeds."""
    spec: OrAsTold[StoredSpec]
    seeds: list[int]
    """The training seeds these numbers are over."""
    chain_seeds: list[int]
    """The chains these numbers are over."""
    confidence: float
    """Level of every interval."""
    interval_method: str
    error_bar: str
    """What standard errors and intervals are over, and what is held fixed."""
    chain: ChainFacts
    """Of the first chain."""
    chains: list[ChainFacts]
    """Of all chains."""
    snapshots: list[Snapshot]
    training: list[TrainingCurve]
    under_trained: bool
    """Of the final network: do not believe its rank yet."""
    too_few_samples: bool
    """Of the final network, at any level: ask for more `measurement.n_sequences`."""
    layers: list[int] | None = None
    """The layers that the arrays are of, in this order, where some were asked for. A change from
    one layer to the next is there where both are; null: all of them, from layer 0 on."""
    left_out: list[LeftOut] = Field(default_factory=list)
    """What is stored besides, of the levels and moments that were asked for."""

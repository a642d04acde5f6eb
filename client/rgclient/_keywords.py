"""Keywords of `submit`, `forecast` and `study`. Made by scripts/spec_fields.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypedDict


class SubmitFields(TypedDict, total=False):
    """An experiment, by its fields."""

    n_states: int
    """Number of states V of the chain; also the vocabulary of the network. `chain.n_states`:
    integer >= 2, <= 256."""
    corr_len: float
    """Correlation length xi = -1 / ln|l2|, in tokens. `chain.corr_len`: number >= 0.05, <= 1000.0,
    tokens."""
    family: Literal["random_reversible", "potts", "ring", "hierarchical", "spectrum", "explicit"]
    """Construction of the transition matrix. `chain.family`: random_reversible, potts, ring,
    hierarchical, spectrum, explicit."""
    concentration: float
    """Shape of the Gamma law of the weights; small values give sparse, uneven chains.
    `chain.concentration`: number >= 0.05, <= 100."""
    branching: int
    """Children b of a node; n_states must be a power of it. `chain.branching`: integer >= 2, <=
    16."""
    scales: Iterable[Any] | None
    """Correlation length of each scale, finest first, tokens; halving from corr_len if left out.
    `chain.scales`: a list of 1 to 8 of: number >= 0, <= 1000.0 or null, tokens."""
    eigenvalues: Iterable[Any]
    """The V - 1 eigenvalues beside the 1, by rising frequency of their cosine. `chain.eigenvalues`:
    a list of 1 to 255 of: number >= -1, < 1."""
    matrix: Iterable[Any]
    """Row-stochastic: P[i][j] = Pr(next is j | now is i); irreducible and aperiodic.
    `chain.matrix`: a list of 2 to 128 of: a list of 2 to 128 of: number >= 0, <= 1."""
    seq_len: int
    """Tokens per sequence, T. `data.seq_len`: integer >= 2, <= 1024, tokens."""
    mask_prob: float
    """Probability that a token is hidden, independently for each. `data.mask_prob`: number >= 0.01,
    <= 0.9."""
    mixing: Literal["context", "flat", "mixer", "window"]
    """How tokens reach a stream. `context`: a window around each position, once. `flat`: the whole
    sequence in one stream. `mixer`: a token-mixing MLP in every block. `window`: every block reads
    the streams at t - 1, t and t + 1. `model.mixing`: context, flat, mixer, window."""
    context: int | None
    """Radius c of the window, in tokens (`mixing` context only; 3 if not given). `model.context`:
    integer >= 0, <= 32 or null, tokens."""
    depth: int
    """Number of residual blocks, L; the residual stream is measured at L + 1 places. `model.depth`:
    integer >= 1, <= 64, blocks."""
    width: int
    """Dimension d of the residual stream. `model.width`: integer >= 2, <= 1024, channels."""
    hidden_ratio: float
    """Hidden units of a block, as a multiple of the width. `model.hidden_ratio`: number >= 0.25, <=
    8."""
    activation: Literal["relu", "gelu", "tanh", "silu"]
    """Non-linearity f of a block. `model.activation`: relu, gelu, tanh, silu."""
    norm: Literal["none", "layer", "rms"]
    """Normalisation N at the entry of a block. `model.norm`: none, layer, rms."""
    residual_scale: float
    """Factor s of a block's output; 1e-300 or more. `model.residual_scale`: number > 0, <= 10."""
    init_scale: float
    """Factor on the standard deviation of the initial weights; 1e-300 or more. `model.init_scale`:
    number > 0, <= 10."""
    steps: int
    """Optimizer steps. `training.steps`: integer >= 1, <= 1000000, steps."""
    batch_size: int
    """Sequences per step. `training.batch_size`: integer >= 1, <= 8192, sequences."""
    optimizer: Literal["adamw", "adam", "sgd"]
    """Update rule; sgd has momentum 0.9. `training.optimizer`: adamw, adam, sgd."""
    lr: float
    """Peak learning rate. `training.lr`: number >= 1e-07, <= 10."""
    schedule: Literal["constant", "cosine", "one_cycle"]
    """How the learning rate changes over the steps. `training.schedule`: constant, cosine,
    one_cycle."""
    weight_decay: float
    """Decay of the weights per unit of learning rate. `training.weight_decay`: number >= 0, <=
    1."""
    grad_clip: float | None
    """Largest norm of the gradient, 1e-300 or more; null for none. `training.grad_clip`: number >
    0, <= 1000000.0 or null."""
    n_sequences: int
    """Fresh sequences the observables are estimated from. `measurement.n_sequences`: integer >= 16,
    <= 262144, sequences."""
    levels: Iterable[Any] | None
    """Which rows a matrix is made of; all that exist for the mixing if not given.
    `measurement.levels`: a list of 1 to 5 of: position, token, masked, pooled, sequence or null."""
    kernel: Literal["linear"]
    """Kernel of the layer-by-layer comparison. `measurement.kernel`: linear."""
    at: Literal["final", "log"]
    """When to measure besides the untrained network: after the last step, or also along training,
    at log-spaced steps. `measurement.at`: final, log."""
    seeds: int | Iterable[Any]
    """Training seeds: how many (3 means 0, 1, 2) or which ones. One run each. `seeds`: integer >=
    1, <= 64 or a list of 1 to 64 of: integer >= 0, <= 2147483647."""
    schema: int
    """The form in which the spec is written; the newest if not given. Fields that came later, and
    are not given, have the value under which all is as it was before them. `schema`: integer >= 1,
    <= 1."""
    label: str | None
    """A name for people. `label`: string length >= 1, length <= 200 or null."""
    tags: Iterable[Any]
    """Words to find it by. `tags`: a list of 0 to 16 of: string matching
    ^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$."""
    priority: int
    """Larger goes first. `priority`: integer >= -10, <= 10."""
    device: Literal["any", "cpu", "cuda"]
    """Kind of device to train on; `any` takes the first worker that is free. `device`: any, cpu,
    cuda."""
    chain: Mapping[str, Any]
    """Fields of this section."""
    data: Mapping[str, Any]
    """Fields of this section."""
    measurement: Mapping[str, Any]
    """Fields of this section."""
    model: Mapping[str, Any]
    """Fields of this section."""
    training: Mapping[str, Any]
    """Fields of this section."""


SUBMIT_DEFAULTS: dict[str, Any] = {
    "n_states": 16,
    "corr_len": 1.0,
    "family": "random_reversible",
    "concentration": 1.0,
    "branching": 2,
    "scales": None,
    "eigenvalues": ...,
    "matrix": ...,
    "seq_len": 32,
    "mask_prob": 0.15,
    "mixing": "context",
    "context": None,
    "depth": 8,
    "width": 64,
    "hidden_ratio": 4.0,
    "activation": "gelu",
    "norm": "layer",
    "residual_scale": 1.0,
    "init_scale": 1.0,
    "steps": 1500,
    "batch_size": 128,
    "optimizer": "adamw",
    "lr": 0.001,
    "schedule": "cosine",
    "weight_decay": 0.01,
    "grad_clip": 1.0,
    "n_sequences": 4096,
    "levels": None,
    "kernel": "linear",
    "at": "final",
    "seeds": [0, 1, 2],
    "schema": 1,
    "label": None,
    "tags": [],
    "priority": 0,
    "device": "any",
    "chain": ...,
    "data": ...,
    "measurement": ...,
    "model": ...,
    "training": ...,
}
"""What is left out is."""


class StudyFields(TypedDict, total=False):
    """A study, by its fields; lists make a grid."""

    n_states: int | Iterable[int]
    """Number of states V of the chain; also the vocabulary of the network. `chain.n_states`:
    integer >= 2, <= 256."""
    corr_len: float | Iterable[float]
    """Correlation length xi = -1 / ln|l2|, in tokens. `chain.corr_len`: number >= 0.05, <= 1000.0,
    tokens."""
    family: (
        Literal["random_reversible", "potts", "ring", "hierarchical", "spectrum", "explicit"]
        | Iterable[
            Literal["random_reversible", "potts", "ring", "hierarchical", "spectrum", "explicit"]
        ]
    )
    """Construction of the transition matrix. `chain.family`: random_reversible, potts, ring,
    hierarchical, spectrum, explicit."""
    concentration: float | Iterable[float]
    """Shape of the Gamma law of the weights; small values give sparse, uneven chains.
    `chain.concentration`: number >= 0.05, <= 100."""
    branching: int | Iterable[int]
    """Children b of a node; n_states must be a power of it. `chain.branching`: integer >= 2, <=
    16."""
    scales: Iterable[Any] | None
    """Correlation length of each scale, finest first, tokens; halving from corr_len if left out.
    `chain.scales`: a list of 1 to 8 of: number >= 0, <= 1000.0 or null, tokens."""
    eigenvalues: Iterable[Any]
    """The V - 1 eigenvalues beside the 1, by rising frequency of their cosine. `chain.eigenvalues`:
    a list of 1 to 255 of: number >= -1, < 1."""
    matrix: Iterable[Any]
    """Row-stochastic: P[i][j] = Pr(next is j | now is i); irreducible and aperiodic.
    `chain.matrix`: a list of 2 to 128 of: a list of 2 to 128 of: number >= 0, <= 1."""
    seq_len: int | Iterable[int]
    """Tokens per sequence, T. `data.seq_len`: integer >= 2, <= 1024, tokens."""
    mask_prob: float | Iterable[float]
    """Probability that a token is hidden, independently for each. `data.mask_prob`: number >= 0.01,
    <= 0.9."""
    mixing: (
        Literal["context", "flat", "mixer", "window"]
        | Iterable[Literal["context", "flat", "mixer", "window"]]
    )
    """How tokens reach a stream. `context`: a window around each position, once. `flat`: the whole
    sequence in one stream. `mixer`: a token-mixing MLP in every block. `window`: every block reads
    the streams at t - 1, t and t + 1. `model.mixing`: context, flat, mixer, window."""
    context: int | Iterable[int] | None
    """Radius c of the window, in tokens (`mixing` context only; 3 if not given). `model.context`:
    integer >= 0, <= 32 or null, tokens."""
    depth: int | Iterable[int]
    """Number of residual blocks, L; the residual stream is measured at L + 1 places. `model.depth`:
    integer >= 1, <= 64, blocks."""
    width: int | Iterable[int]
    """Dimension d of the residual stream. `model.width`: integer >= 2, <= 1024, channels."""
    hidden_ratio: float | Iterable[float]
    """Hidden units of a block, as a multiple of the width. `model.hidden_ratio`: number >= 0.25, <=
    8."""
    activation: (
        Literal["relu", "gelu", "tanh", "silu"] | Iterable[Literal["relu", "gelu", "tanh", "silu"]]
    )
    """Non-linearity f of a block. `model.activation`: relu, gelu, tanh, silu."""
    norm: Literal["none", "layer", "rms"] | Iterable[Literal["none", "layer", "rms"]]
    """Normalisation N at the entry of a block. `model.norm`: none, layer, rms."""
    residual_scale: float | Iterable[float]
    """Factor s of a block's output; 1e-300 or more. `model.residual_scale`: number > 0, <= 10."""
    init_scale: float | Iterable[float]
    """Factor on the standard deviation of the initial weights; 1e-300 or more. `model.init_scale`:
    number > 0, <= 10."""
    steps: int | Iterable[int]
    """Optimizer steps. `training.steps`: integer >= 1, <= 1000000, steps."""
    batch_size: int | Iterable[int]
    """Sequences per step. `training.batch_size`: integer >= 1, <= 8192, sequences."""
    optimizer: Literal["adamw", "adam", "sgd"] | Iterable[Literal["adamw", "adam", "sgd"]]
    """Update rule; sgd has momentum 0.9. `training.optimizer`: adamw, adam, sgd."""
    lr: float | Iterable[float]
    """Peak learning rate. `training.lr`: number >= 1e-07, <= 10."""
    schedule: (
        Literal["constant", "cosine", "one_cycle"]
        | Iterable[Literal["constant", "cosine", "one_cycle"]]
    )
    """How the learning rate changes over the steps. `training.schedule`: constant, cosine,
    one_cycle."""
    weight_decay: float | Iterable[float]
    """Decay of the weights per unit of learning rate. `training.weight_decay`: number >= 0, <=
    1."""
    grad_clip: float | Iterable[float] | None
    """Largest norm of the gradient, 1e-300 or more; null for none. `training.grad_clip`: number >
    0, <= 1000000.0 or null."""
    n_sequences: int | Iterable[int]
    """Fresh sequences the observables are estimated from. `measurement.n_sequences`: integer >= 16,
    <= 262144, sequences."""
    levels: Iterable[Any] | None
    """Which rows a matrix is made of; all that exist for the mixing if not given.
    `measurement.levels`: a list of 1 to 5 of: position, token, masked, pooled, sequence or null."""
    kernel: Literal["linear"] | Iterable[Literal["linear"]]
    """Kernel of the layer-by-layer comparison. `measurement.kernel`: linear."""
    at: Literal["final", "log"] | Iterable[Literal["final", "log"]]
    """When to measure besides the untrained network: after the last step, or also along training,
    at log-spaced steps. `measurement.at`: final, log."""
    seeds: int | Iterable[Any]
    """Training seeds: how many (3 means 0, 1, 2) or which ones. One run each. `seeds`: integer >=
    1, <= 64 or a list of 1 to 64 of: integer >= 0, <= 2147483647."""
    schema: int
    """The form in which the spec is written; the newest if not given. Fields that came later, and
    are not given, have the value under which all is as it was before them. `schema`: integer >= 1,
    <= 1."""
    name: str | None
    """A name for people. `name`: string length >= 1, length <= 200 or null."""
    tags: Iterable[Any]
    """Words to find its experiments by. `tags`: a list of 0 to 16 of: string matching
    ^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$."""
    priority: int
    """Larger goes first. `priority`: integer >= -10, <= 10."""
    device: Literal["any", "cpu", "cuda"]
    """Kind of device to train on; `any` takes the first worker that is free. `device`: any, cpu,
    cuda."""
    target_error: float | None
    """Add seeds until the standard error of every collapse ratio is below this. `target_error`:
    number >= 1e-06, <= 1 or null."""
    max_seeds: int
    """Most training seeds that `target_error` may lead to. `max_seeds`: integer >= 1, <= 64."""
    chain: Mapping[str, Any]
    """Fields of this section."""
    data: Mapping[str, Any]
    """Fields of this section."""
    measurement: Mapping[str, Any]
    """Fields of this section."""
    model: Mapping[str, Any]
    """Fields of this section."""
    training: Mapping[str, Any]
    """Fields of this section."""


STUDY_DEFAULTS: dict[str, Any] = {
    "n_states": 16,
    "corr_len": 1.0,
    "family": "random_reversible",
    "concentration": 1.0,
    "branching": 2,
    "scales": None,
    "eigenvalues": ...,
    "matrix": ...,
    "seq_len": 32,
    "mask_prob": 0.15,
    "mixing": "context",
    "context": None,
    "depth": 8,
    "width": 64,
    "hidden_ratio": 4.0,
    "activation": "gelu",
    "norm": "layer",
    "residual_scale": 1.0,
    "init_scale": 1.0,
    "steps": 1500,
    "batch_size": 128,
    "optimizer": "adamw",
    "lr": 0.001,
    "schedule": "cosine",
    "weight_decay": 0.01,
    "grad_clip": 1.0,
    "n_sequences": 4096,
    "levels": None,
    "kernel": "linear",
    "at": "final",
    "seeds": [0, 1, 2],
    "schema": 1,
    "name": None,
    "tags": [],
    "priority": 0,
    "device": "any",
    "target_error": None,
    "max_seeds": 16,
    "chain": ...,
    "data": ...,
    "measurement": ...,
    "model": ...,
    "training": ...,
}
"""What is left out is."""

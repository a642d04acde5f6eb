"""What an experiment costs, from its spec alone: operations, memory, stored bytes."""

from __future__ import annotations

from dataclasses import dataclass

from rgcontract import ExperimentSpec, FieldProblem, Level, Mixing
from rgstore.settings import Settings

FLOPS_PER_SECOND = 2e10
"""One core on small matrices, until this lab has measured its own."""
BYTES_PER_NUMBER = 8
TRAINER_BYTES = 400 * 2**20  # a warm process with torch
MOMENTS_BYTES = 1536 * 2**20  # what the measurement holds at most, however large the network
PASS_BYTES = 2**28  # of moments, and of a batch's activations, in one pass of a measurement
MEASURED_AT_ONCE = 128  # sequences, at most
LOGIT_COPIES = 4  # logits, their softmax and the gradients of both
TARGET_COPIES = 13  # in float64: laws, log-odds and modes of a batch's hidden tokens
READ_OUT_FOLDS = 8  # quarters of the sequences, for two sets of hidden tokens
VALUES_AND_HALVES = 2


@dataclass(frozen=True)
class Cost:
    """The cost of one run."""

    parameters: int
    flops: float
    memory_bytes: int
    stored_bytes: int


def cost_of_run(spec: ExperimentSpec) -> Cost:
    """The cost of one run of a spec: 2 operations a weight and row forward, 4 backward."""
    model, training, measurement = spec.model, spec.training, spec.measurement
    width, layers, n_states = model.width, model.depth + 1, spec.chain.n_states
    seq_len = spec.data.seq_len
    hidden = max(1, round(model.hidden_ratio * width))
    flat = model.mixing is Mixing.FLAT
    block_in = 3 * width if model.mixing is Mixing.WINDOW else width
    block = (block_in + width) * hidden + hidden + 3 * width
    stem = _slots(spec) * width * width
    head = (width + 1) * n_states * (seq_len if flat else 1)
    token_mixing = _token_mixing(spec)  # parameters; each acts on all channels of a sequence
    parameters = stem + model.depth * (block + token_mixing) + head + (n_states + 2) * width

    def forward(sequences: float, rows: float) -> float:
        per_row = 2.0 * (stem + model.depth * block + head)
        return rows * per_row + sequences * 2.0 * model.depth * token_mixing * width

    batch = training.batch_size
    streams = 1 if flat else seq_len
    trained = batch * streams
    if model.mixing is Mixing.CONTEXT:
        trained = max(1, round(batch * seq_len * spec.data.mask_prob))  # the masked ones alone
    train = 3.0 * training.steps * forward(batch, trained)
    n, rows = measurement.n_sequences, measurement.n_sequences * streams
    moments = len(measurement.moments(training.steps)) + 2  # the untrained net, the shuffled null
    gram = rows * layers * (layers + 1) * width**2
    measure = moments * (_passes(spec) * forward(n, rows) + 2.0 * gram)
    activations = 4 * trained * layers * (3 * block_in + 2 * hidden)
    hidden_tokens = seq_len * spec.data.mask_prob
    logits = batch * (seq_len if flat else hidden_tokens) * n_states * 4 * LOGIT_COPIES
    of_sequence = BYTES_PER_NUMBER * ((layers + 6) * width + hidden) * streams
    at_once = max(1, min(n, MEASURED_AT_ONCE, PASS_BYTES // of_sequence))
    targets = at_once * hidden_tokens * n_states * BYTES_PER_NUMBER * TARGET_COPIES
    grams = 2 * streams * (layers * width) ** 2 * BYTES_PER_NUMBER
    level = layers * (width + 2 * layers + 14)
    stored = len(measurement.levels or ()) * level + layers * (n_states + 40)
    if Level.POSITION in (measurement.levels or ()):
        stored += 2 * seq_len * layers
    weights = 4 * parameters * (moments - 2)
    return Cost(
        parameters=parameters,
        flops=train + measure,
        memory_bytes=TRAINER_BYTES
        + 16 * parameters
        + round(max(activations + logits, targets))
        + min(grams, MOMENTS_BYTES)
        + READ_OUT_FOLDS * layers * width**2 * BYTES_PER_NUMBER
        + (moments - 2) * 4 * parameters,
        stored_bytes=weights + VALUES_AND_HALVES * moments * stored * BYTES_PER_NUMBER,
    )


def _slots(spec: ExperimentSpec) -> int:
    """Tokens that enter one stream."""
    match spec.model.mixing:
        case Mixing.FLAT:
            return spec.data.seq_len
        case Mixing.CONTEXT:
            return 2 * (spec.model.context or 0) + 1
        case _:
            return 1


def _passes(spec: ExperimentSpec) -> int:
    """How often a measurement runs the network: positions whose moments do not fit take turns.

    Mixing `context` then computes the positions of each turn alone, the others all of them.
    """
    model, seq_len = spec.model, spec.data.seq_len
    if Level.POSITION not in (spec.measurement.levels or ()):
        return 1
    layers = model.depth + 1
    of_position = BYTES_PER_NUMBER * model.width**2 * layers * (layers + 1) // 2
    at_once = max(1, PASS_BYTES // of_position)
    if at_once >= seq_len:
        return 1
    return 2 if model.mixing is Mixing.CONTEXT else 1 + -(-seq_len // at_once)


def _token_mixing(spec: ExperimentSpec) -> int:
    """Parameters of the token-mixing half of a block."""
    if spec.model.mixing is not Mixing.MIXER:
        return 0
    seq_len = spec.data.seq_len
    hidden = max(1, round(spec.model.hidden_ratio * seq_len))
    return 2 * seq_len * hidden + hidden + seq_len


def over_limits(cost: Cost, n_runs: int, settings: Settings) -> list[FieldProblem]:
    """Which limits so many runs of this cost would exceed, with the estimate."""
    estimates = [
        ("flops", n_runs * cost.flops, settings.max_flops, "operations",
         "training.steps, training.batch_size, model.width or model.depth"),
        ("memory_bytes", cost.memory_bytes, settings.max_memory_bytes, "bytes in one run",
         "model.width, model.depth or training.batch_size"),
        ("stored_bytes", n_runs * cost.stored_bytes, settings.max_stored_bytes, "stored bytes",
         "seeds, model.width or measurement.levels"),
    ]  # fmt: skip
    return [
        FieldProblem(
            field=name,
            message=f"estimated at {estimate:.3g} {unit}; lower {remedy}",
            allowed=f"at most {limit:.3g} (RGLAB_MAX_{name.upper()})",
        )
        for name, estimate, limit, unit, remedy in estimates
        if estimate > limit
    ]

"""What an experiment costs, from its spec alone: operations, memory, stored bytes."""

from __future__ import annotations

from dataclasses import dataclass

from rgcontract import ExperimentSpec, FieldProblem, Level, Mixing
from rgstore.settings import Settings

FLOPS_PER_SECOND = 2e10
"""One core on small matrices, until this lab has measured its own."""
BYTES_PER_NUMBER = 8
TRAINER_BYTES = 400 * 2**20  # a warm process with torch
GRAM_CHUNK_BYTES = 256 * 2**20  # the measurement works through positions in chunks of this


@dataclass(frozen=True)
class Cost:
    """The cost of one run."""

    parameters: int
    flops: float
    memory_bytes: int
    stored_bytes: int


def cost_of_run(spec: ExperimentSpec) -> Cost:
    """The cost of one seed of a spec: 2 operations a weight forward, 4 backward."""
    model, data, training = spec.model, spec.data, spec.training
    width, depth, n_states = model.width, model.depth, spec.chain.n_states
    hidden = max(1, round(model.hidden_ratio * width))
    blocks = depth * (2 * width * hidden + hidden + 3 * width)
    flat = model.mixing is Mixing.FLAT
    if flat:
        tokens_in, tokens_out = data.seq_len, data.seq_len
        rows = training.batch_size
        rows_measured = spec.measurement.n_sequences
    else:
        tokens_in, tokens_out = 2 * (model.context or 0) + 1, 1
        rows = max(1, round(training.batch_size * data.seq_len * data.mask_prob))
        rows_measured = spec.measurement.n_sequences * data.seq_len
    weights = tokens_in * width * width + blocks + tokens_out * n_states * width
    parameters = weights + (n_states + 2) * width
    layers = depth + 1
    train = 6.0 * weights * rows * training.steps
    gram = 2.0 * (2 * depth + 1) * width * width * rows_measured
    measure = 2 * (2.0 * weights * rows_measured + 2 * gram)
    activations = rows * (layers * (3 * width + 2 * hidden)) * 4
    grams = (2 * depth + 1) * width * width * BYTES_PER_NUMBER
    levels = spec.measurement.levels or ()
    stored = 2 * len(levels) * layers * (width + 4) * BYTES_PER_NUMBER
    if Level.POSITION in levels:
        stored += 2 * data.seq_len * layers * 4 * BYTES_PER_NUMBER
    return Cost(
        parameters=parameters,
        flops=train + measure,
        memory_bytes=TRAINER_BYTES
        + 16 * parameters
        + activations
        + max(GRAM_CHUNK_BYTES, 2 * grams),
        stored_bytes=stored + 4 * 200 * BYTES_PER_NUMBER,
    )


def over_limits(spec: ExperimentSpec, n_runs: int, settings: Settings) -> list[FieldProblem]:
    """Which limits so many runs of a spec would exceed, with the estimate."""
    cost = cost_of_run(spec)
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

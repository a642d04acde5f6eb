"""Whether what a trainer says it measured can be a measurement of what was asked for.

A trainer is a process of its own, with a device of its own: what it says is looked at before it is
stored. It needs no torch.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, pairwise

import numpy as np
from safetensors import SafetensorError, deserialize

from rgcontract import ExperimentSpec
from rgcontract.observables import NETWORK, OBSERVABLES, REASONS, Axis, observables_at
from rgcore.architecture import Architecture
from rgcore.cost import axis_lengths, parameter_count
from rgstore.records import ChainRecord, Quantity, RunRecord, Training, moment_name

MOST_NAMED = 5
"""Faults that a message names."""
STOCHASTIC = 1e-9
"""By which probabilities may miss the sum of one."""


class UnsoundResultError(RuntimeError):
    """A result that is no measurement of what was asked for; the message says what is wrong."""


def require_sound(record: RunRecord, spec: ExperimentSpec) -> None:
    """Check a result before it is stored.

    Args:
        record: what a trainer says.
        spec: on one draw of its chain, as the trainer was given it.

    Raises:
        UnsoundResultError: quantities are missing, unasked for, of another shape, beyond their
            range, or not finite without a reason; chain, curve or weights are not of this spec.
    """
    found = list(islice(_faults(record, spec), MOST_NAMED + 1))
    if found:
        more = "; and more" if len(found) > MOST_NAMED else ""
        raise UnsoundResultError(f"the result is unsound: {'; '.join(found[:MOST_NAMED])}{more}")


def _faults(record: RunRecord, spec: ExperimentSpec) -> Iterator[str]:
    if not (math.isfinite(record.seconds) and record.seconds >= 0):
        yield f"it took {record.seconds} s"
    yield from _of_quantities(record.quantities, spec)
    yield from _of_chain(record.chain, spec)
    yield from _of_training(record.training, spec)


def _of_quantities(quantities: Sequence[Quantity], spec: ExperimentSpec) -> Iterator[str]:
    asked = _asked(spec)
    times = Counter(quantity.key for quantity in quantities)
    for key in sorted(asked.keys() - times):
        yield f"{_named(key)} is missing"
    for key in sorted(times.keys() - asked):
        yield f"{_named(key)} was not asked for"
    for key in sorted(key for key in asked if times[key] > 1):
        yield f"{_named(key)} is twice"
    lengths = axis_lengths(Architecture(**spec.architecture))
    counts = {axis: lengths[axis] for axis in Axis}
    for quantity in quantities:
        if quantity.key in asked:
            for fault in _of_one(quantity, asked[quantity.key], counts):
                yield f"{_named(quantity.key)}: {fault}"


def _asked(spec: ExperimentSpec) -> dict[tuple[str, str, str], int]:
    """(moment, level, quantity) of all that is measured -> its step."""
    steps = spec.training.steps
    moments = {"initial": 0, "shuffled": steps} | {
        moment_name(step, steps): step for step in spec.measurement.moments(steps)
    }
    levels = [*map(str, spec.measurement.levels or ()), NETWORK]
    return {
        (when, level, row.name): step
        for when, step in moments.items()
        for level in levels
        for row in observables_at(level, spec.model.mixing)
    }


def _of_one(quantity: Quantity, step: int, counts: Mapping[Axis, int]) -> Iterator[str]:
    row = OBSERVABLES[quantity.quantity]
    shape = [counts[axis] for axis in row.axes]
    if (quantity.step, quantity.estimator) != (step, row.estimator):
        yield f"is of step {quantity.step}, by {quantity.estimator!r}"
    if quantity.n_rows < 0:
        yield f"is of {quantity.n_rows} rows"
    if quantity.shape != shape or len(quantity.values) != math.prod(shape):
        yield f"has the shape {quantity.shape} and {len(quantity.values)} values, not {shape}"
        return
    explained = {index for indexes in quantity.reasons.values() for index in indexes}
    unknown = sorted(set(quantity.reasons) - set(REASONS))
    open_ = {index for index, value in enumerate(quantity.values) if not math.isfinite(value)}
    if unknown or explained != open_:
        wrong = min(explained ^ open_, default=0)
        yield f"at {wrong}, {quantity.values[wrong]!r} with the reasons {sorted(quantity.reasons)}"
    beyond = [value for value in quantity.values if _beyond(quantity, value, counts)]
    if beyond:
        yield f"is {beyond[0]!r}"
    half = quantity.half
    if half is not None and len(half) != len(quantity.values):
        yield f"has {len(half)} values of half of the samples, not {len(quantity.values)}"
    elif wrong_half := [value for value in half or () if _beyond(quantity, value, counts)]:
        yield f"is {wrong_half[0]!r} of half of the samples"


def _beyond(quantity: Quantity, value: float, counts: Mapping[Axis, int]) -> bool:
    return math.isfinite(value) and not OBSERVABLES[quantity.quantity].range.holds(value, counts)


def _of_chain(chain: ChainRecord, spec: ExperimentSpec) -> Iterator[str]:
    n, tokens = spec.chain.n_states, spec.data.seq_len
    said = (chain.family, chain.n_states, chain.seed, chain.seq_len)
    if said != (spec.chain.family, n, spec.chain.seed, tokens):
        yield f"the chain is another one: {said}"
        return
    wanted = {
        "stationary": n, "transition": n * n, "eigenvalues_real": n, "eigenvalues_imag": n,
        "mutual_information": tokens - 1,
    }  # fmt: skip
    for name, count in wanted.items():
        values = np.asarray(getattr(chain, name), dtype=np.float64)
        if values.shape != (count,) or not np.isfinite(values).all():
            yield f"the chain's {name} are not {count} finite numbers"
            return
    rows = np.vstack([np.reshape(chain.transition, (n, n)), [chain.stationary]])
    if (rows < 0).any() or (np.abs(rows.sum(axis=1) - 1.0) > STOCHASTIC).any():
        yield "the chain's probabilities do not sum to one"
    lengths = (chain.corr_len, chain.entropy_rate, chain.unigram_entropy)
    if not all(math.isfinite(value) and value >= 0 for value in lengths):
        yield f"the chain's correlation length and entropies are {lengths}"


def _of_training(training: Training, spec: ExperimentSpec) -> Iterator[str]:
    steps, losses = training.curve_steps, training.curve_losses
    rising = all(a < b for a, b in pairwise(steps))
    inside = all(0 <= step <= spec.training.steps for step in steps)
    if len(steps) != len(losses) or not (rising and inside and all(map(math.isfinite, losses))):
        yield f"the curve of {len(steps)} steps and {len(losses)} losses is none of this training"
    moments = spec.measurement.moments(spec.training.steps)
    if tuple(weights.step for weights in training.weights) != moments:
        yield f"weights are not those after the steps {moments}"
    wanted = parameter_count(Architecture(**spec.architecture))
    for weights in training.weights:
        try:
            count = _finite_numbers(weights.data)
        except (SafetensorError, ValueError) as error:
            yield f"the weights of step {weights.step} cannot be read: {error}"
            return
        if count != wanted:
            yield f"the weights of step {weights.step} are {count} numbers, not {wanted}"


def _finite_numbers(data: bytes) -> int:
    """How many numbers weights are.

    Raises:
        SafetensorError, ValueError: they are none, or not all of them finite.
    """
    count = 0
    for name, tensor in deserialize(data):  # type: ignore[no-untyped-call]  # its types are of another form
        if tensor["dtype"] != "F32":
            raise ValueError(f"{name} is of {tensor['dtype']}")
        numbers = np.frombuffer(tensor["data"], dtype="<f4")
        if not np.isfinite(numbers).all():
            raise ValueError(f"{name} is not finite")
        count += numbers.size
    return count


def _named(key: tuple[str, str, str]) -> str:
    when, level, name = key
    return f"{when} {name} at {level}"

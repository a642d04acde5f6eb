"""The units of work in the parts of a run, from its sizes.

K = L + 1 layers of width d, T positions, V states, n sequences of which M tokens are hidden.
"""

from __future__ import annotations

import math
from collections.abc import Set
from functools import reduce

from rgcore.architecture import NORMS, Architecture
from rgcore.cost.forward import forward_multiply_adds
from rgcore.cost.measuring import (
    EIGH,
    SNAPSHOTS,
    decompositions,
    groups,
    pass_forward,
    pass_moments,
)
from rgcore.cost.parameters import parameter_count
from rgcore.cost.passes import (
    BATCH,
    BLOCK_SEQUENCES,
    QUARTERS,
    Pass,
    measurement_passes,
    most_sequences,
)
from rgcore.cost.training import batches_drawn, step_multiply_adds, step_streams
from rgcore.cost.work import added

BLOCK_CALLS, NORM_CALLS, NEIGHBOUR_CALLS, TOKEN_MLP_CALLS = 4, 1, 5, 7
"""Operations of a block forward: two linear maps, activation and sum; a norm; the neighbours put
side by side; the token mixing of a mixer without its norm. Those back come with them."""
FORWARD_SHARE = 1 / 3
"""Of a value's price, which is for forward and back."""
ROUNDS_OF_A_BLOCK = 4
"""Powers of P that the Bayes losses of a block take, for each distance."""
ROUNDS_OF_A_BATCH = 3
"""The same of a batch: the law of a hidden token, and its farther neighbours on both sides."""
LAWS = 4
"""Float64 numbers made for each state of a hidden token: law, likelihood, logarithm, targets."""
PLACES = 8
"""And for each token whose nearest visible ones are looked for."""
VECTORS = 3
"""Matrices that are read off for each layer: its own, and two of the transition after it."""


def start_counts(arch: Architecture, *, numbers: int) -> dict[str, float]:
    """Making a chain, a network and what is stored of them.

    Args:
        arch: of the network.
        numbers: that the run records, of all its measurements.
    """
    v = arch.n_states
    information = arch.seq_len * v**2  # of tokens r apart, r below T
    return {
        "run": 1,
        "block": arch.depth,
        "value": FORWARD_SHARE * parameter_count(arch),
        "value64": numbers + LAWS * information,
        "product64": v * information,
        "decomposed": EIGH * v**3,
    }


def training_counts(
    arch: Architecture, *, steps: int, batch_size: int, mask_prob: float
) -> dict[str, float]:
    """A training.

    Args:
        arch: of the network.
        steps: of it.
        batch_size: sequences per step.
        mask_prob: probability that a token is hidden.
    """
    tokens = batch_size * arch.seq_len
    masked = mask_prob * tokens
    drawn = batches_drawn(arch, batch_size)
    streams = step_streams(arch, batch_size, masked)
    read = batch_size if arch.mixes.one_stream else masked
    logits = read * arch.logits + masked * arch.n_states
    values = _values(arch, streams, batch_size) + logits + parameter_count(arch)
    return {
        "step": steps,
        "kernel": steps * arch.depth * _block_calls(arch),
        "value": steps * values,
        "token": drawn * math.ceil(steps / drawn) * tokens,
        "product": steps * step_multiply_adds(arch, batch_size=batch_size, mask_prob=mask_prob),
    }


def _block_calls(arch: Architecture) -> int:
    norm = NORM_CALLS * (arch.norm != "none")
    calls = BLOCK_CALLS + norm
    if arch.reads > 1:
        calls += NEIGHBOUR_CALLS
    if arch.mixes.token_mlp:
        calls += TOKEN_MLP_CALLS + norm
    return calls


def _values(arch: Architecture, streams: float, sequences: float) -> float:
    """Numbers that a network makes of so many sequences: those of its stem and of its blocks."""
    normed = arch.reads if NORMS[arch.norm].gain else arch.reads - 1
    block = streams * ((1 + normed) * arch.width + arch.hidden)
    if arch.mixes.token_mlp:
        block += sequences * arch.width * (2 * arch.seq_len + arch.token_hidden)
    return arch.depth * block + streams * arch.slots * arch.width


def reference_counts(arch: Architecture, *, n_sequences: int, mask_prob: float) -> dict[str, float]:
    """The Bayes losses of the sequences of a measurement, once for each chain.

    Args:
        arch: of the network.
        n_sequences: n.
        mask_prob: probability that a token is hidden.
    """
    tokens = n_sequences * arch.seq_len
    at_once = min(n_sequences, BLOCK_SEQUENCES) * arch.seq_len * mask_prob
    distances = sum(_farthest(at_once, mask_prob, reach) for reach in (arch.seq_len, _reach(arch)))
    blocks = math.ceil(n_sequences / BLOCK_SEQUENCES)
    return {
        "token": blocks * BLOCK_SEQUENCES * arch.seq_len,
        "value64": PLACES * tokens + mask_prob * tokens * distances,
        "product64": blocks * ROUNDS_OF_A_BLOCK * distances * arch.n_states**3,
        "batch": blocks,
    }


def _reach(arch: Architecture) -> int:
    return arch.seq_len if arch.view_radius is None else min(arch.view_radius, arch.seq_len)


def _farthest(hidden: float, mask_prob: float, reach: int) -> float:
    """Places to the nearest visible token, for the worst of so many hidden ones, about."""
    runs = math.log1p(hidden) / -math.log(mask_prob)  # hidden * mask_prob^r is one
    return max(1.0, min(reach, 1 + runs))


def measuring_counts(
    arch: Architecture, *, n_sequences: int, mask_prob: float, levels: Set[str]
) -> dict[str, float]:
    """A measurement, its Bayes losses apart.

    Args:
        arch: of the network.
        n_sequences: n.
        mask_prob: probability that a token is hidden.
        levels: that are measured.
    """
    passes = measurement_passes(arch, levels)
    counted = [_pass_counts(arch, one, n_sequences, mask_prob) for one in passes]
    return reduce(added, counted)


def _pass_counts(arch: Architecture, one: Pass, n: int, mask_prob: float) -> dict[str, float]:
    quarter = max(1, n // QUARTERS)
    at_once = min(BATCH, most_sequences(arch, one, mask_prob), quarter)
    batches = QUARTERS * math.ceil(quarter / at_once)
    drawn = BLOCK_SEQUENCES * math.ceil(n / BLOCK_SEQUENCES) * arch.seq_len
    masked = n * mask_prob * arch.seq_len
    streams, read = pass_forward(arch, one, n, mask_prob)
    values = _values(arch, streams, n) + read * arch.logits
    power = 0.0
    if one.masked:
        distance = _farthest(masked / batches, mask_prob, _reach(arch))
        power = batches * ROUNDS_OF_A_BATCH * distance * arch.n_states**3
    matrices = VECTORS * groups(arch, one) * (arch.depth + 1)
    return {
        "batch": batches,
        "layer": batches * (arch.depth + 1),
        "reading": SNAPSHOTS * (arch.depth + 1) * (len(one.levels) + one.masked),
        "value": FORWARD_SHARE * values,
        "token": drawn,
        "product": forward_multiply_adds(
            arch, sequences=n, streams=streams, read=read, tables=batches
        ),
        "value64": _gathered(arch, one, n, mask_prob),
        "moment": SNAPSHOTS * matrices * arch.width**2,
        "product64": pass_moments(arch, one, n, mask_prob) + power,
        "decomposed": SNAPSHOTS * decompositions(arch, one),
    }


def _gathered(arch: Architecture, one: Pass, n: int, mask_prob: float) -> float:
    """Float64 numbers that a pass makes of streams, and of the laws of hidden tokens."""
    here = 1 if arch.mixes.one_stream else len(range(arch.seq_len)[one.positions])
    masked = n * mask_prob * arch.seq_len
    rows = {"masked": masked, "sequence": n}
    copied = sum(rows.get(level, n * here) for level in one.levels)
    laws = 0.0
    if one.masked:
        read_out = n * mask_prob if arch.mixes.one_stream else masked
        copied += 2 * read_out + (0 if arch.mixes.one_stream else n * here)
        laws = LAWS * masked * arch.n_states
    return (arch.depth + 1) * arch.width * copied + laws

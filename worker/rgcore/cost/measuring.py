"""What it takes to measure a network once, and how much is then known.

K = L + 1 layers of width d, T positions, V states, n sequences of which M tokens are hidden.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from functools import lru_cache
from math import prod

import numpy as np

from rgcore.architecture import Architecture
from rgcore.cost.forward import forward_multiply_adds
from rgcore.cost.passes import (
    BATCH,
    MOST_LAG,
    NUMBER,
    QUARTERS,
    Pass,
    keeps_all_pairs,
    layer_pairs,
    measurement_passes,
    moment_bytes,
    most_sequences,
    sequence_values,
)

SNAPSHOTS = 2
"""Observables are read off half of the sequences, and off all."""
EIGH, SINGULAR_VALUES, SOLVE = 9.0, 8 / 3, 2 / 3
"""Operations over d^3 of a symmetric eigenproblem with vectors, of singular values alone, of a
linear system (Golub & Van Loan 2013, tables 8.3.1 and 8.6.1, section 3.2)."""
MOMENT_COPIES = 6
"""As gathered, about the mean, side by side for the decompositions, and what these return."""


def measurement_flops(
    arch: Architecture, *, n_sequences: int, mask_prob: float, levels: Set[str]
) -> float:
    """Floating-point operations of one measurement: matrix products and decompositions."""
    passes = measurement_passes(arch, levels)
    products = sum(_products(arch, one, n_sequences, mask_prob) for one in passes)
    return 2.0 * products + SNAPSHOTS * sum(decompositions(arch, one) for one in passes)


def _products(arch: Architecture, one: Pass, n: int, mask_prob: float) -> float:
    """Multiply-adds of a pass."""
    streams, read = pass_forward(arch, one, n, mask_prob)
    batches = n / min(n, BATCH, most_sequences(arch, one, mask_prob))
    forward = forward_multiply_adds(arch, sequences=n, streams=streams, read=read, tables=batches)
    return forward + pass_moments(arch, one, n, mask_prob)


def pass_forward(arch: Architecture, one: Pass, n: int, mask_prob: float) -> tuple[int, float]:
    """(streams that a pass computes, those of them that it reads out)."""
    seq_len = arch.seq_len
    here = 1 if arch.mixes.one_stream else len(range(seq_len)[one.positions])
    computed = here if (arch.mixes.by_itself or arch.mixes.one_stream) else seq_len
    read = 0.0
    if one.masked:
        read = n if arch.mixes.one_stream else n * mask_prob * seq_len
    return n * computed, read


def pass_moments(arch: Architecture, one: Pass, n: int, mask_prob: float) -> float:
    """Multiply-adds of the moments that a pass gathers."""
    here = 1 if arch.mixes.one_stream else len(range(arch.seq_len)[one.positions])
    rows = {"position": n * here, "token": n * here, "masked": n * mask_prob * arch.seq_len}
    moments = sum(rows.get(level, n) * _row_products(arch, level) for level in one.levels)
    if not one.masked:
        return float(moments)
    return moments + _read_outs(arch, n, mask_prob) + _correlations(arch, n)


def _row_products(arch: Architecture, level: str) -> int:
    """Second, third and fourth moments of a row."""
    n_layers = arch.depth + 1
    pairs = layer_pairs(arch, all_pairs=keeps_all_pairs(arch, level))
    return pairs * arch.width**2 + n_layers**2 * (arch.width + 1)


def _read_outs(arch: Architecture, n: int, mask_prob: float) -> float:
    """Regressions on the law and the modes of hidden tokens, and on their irrelevant ones."""
    width, v = arch.width, arch.n_states
    hidden = n * mask_prob * (1 if arch.mixes.one_stream else arch.seq_len)
    irrelevant = hidden * _with_irrelevant(arch, mask_prob)
    of_row = hidden * width * (width + 3 * v - 2) + irrelevant * width * (width + 2 * v)
    return (arch.depth + 1) * of_row


def _with_irrelevant(arch: Architecture, mask_prob: float) -> float:
    """Part of the hidden tokens that have two visible ones in view on each side."""
    reach = arch.seq_len if arch.view_radius is None else arch.view_radius
    middle = arch.mixes.one_stream
    return _two_on_each_side(arch.seq_len, min(reach, arch.seq_len), mask_prob, middle=middle)


@lru_cache(maxsize=1024)
def _two_on_each_side(seq_len: int, reach: int, mask_prob: float, *, middle: bool) -> float:
    seen = np.minimum(np.arange(seq_len), reach)  # places in view to the left
    none = mask_prob**seen
    one = seen * (1 - mask_prob) * mask_prob ** np.maximum(seen - 1, 0)
    two = 1 - none - one
    both = two * two[::-1]
    return float(both[seq_len // 2] if middle else both.mean())


def _correlations(arch: Architecture, n: int) -> float:
    if arch.mixes.one_stream:
        return 0.0
    seq_len = arch.seq_len
    lags = sum(
        min(MOST_LAG, seq_len - begin) * min(2 * MOST_LAG, seq_len - begin)
        for begin in range(0, seq_len, MOST_LAG)
    )
    return float((arch.depth + 1) * n * arch.width * lags)


def groups(arch: Architecture, one: Pass) -> int:
    """Groups of rows that a pass keeps apart, over its levels."""
    here = len(range(arch.seq_len)[one.positions])
    return sum(here if level == "position" else 1 for level in one.levels)


def decompositions(arch: Architecture, one: Pass) -> float:
    """Operations of a snapshot: a spectrum per layer and group, two comparisons per transition."""
    cube = float(arch.width) ** 3
    n_layers = arch.depth + 1
    angle = SINGULAR_VALUES + 4  # two products, at most over all directions
    of_group = n_layers * EIGH + arch.depth * (SINGULAR_VALUES + angle)
    found = groups(arch, one) * of_group * cube
    if one.masked:  # two regressions, fitted on each side
        found += 4 * n_layers * SOLVE * cube
    return found


def measurement_bytes(
    arch: Architecture, *, n_sequences: int, mask_prob: float, levels: Set[str]
) -> int:
    """Bytes that a measurement takes, about and at most."""
    return max(
        _pass_bytes(arch, one, n_sequences, mask_prob) for one in measurement_passes(arch, levels)
    )


def _pass_bytes(arch: Architecture, one: Pass, n: int, mask_prob: float) -> int:
    at_once = min(n, BATCH, most_sequences(arch, one, mask_prob))
    here = len(range(arch.seq_len)[one.positions])
    moments = sum(
        (here if level == "position" else 1)
        * moment_bytes(arch, all_pairs=keeps_all_pairs(arch, level))
        for level in one.levels
    )
    held = at_once * sequence_values(arch, one, mask_prob) * NUMBER + MOMENT_COPIES * moments
    if one.masked:
        targets = 5 * arch.n_states
        held += NUMBER * QUARTERS * (arch.depth + 1) * arch.width * (2 * arch.width + targets)
    return held


def axis_lengths(arch: Architecture) -> dict[str, int]:
    """How many each axis of an array counts, by its name."""
    return {
        "layer": arch.depth + 1,
        "transition": arch.depth,
        "dimension": arch.width,
        "position": arch.seq_len,
        "mode": arch.n_states - 1,
        "lag": 1 + min(arch.seq_len - 1, MOST_LAG),
    }


def measured_numbers(arch: Architecture, arrays: Iterable[Sequence[str]]) -> tuple[int, int]:
    """(quantities, numbers in them) that a measurement finds, without those of half of it.

    Args:
        arch: of the network.
        arrays: what the axes of each array count, see `axis_lengths`; none for one number.
    """
    lengths = axis_lengths(arch)
    sizes = [prod(lengths[axis] for axis in axes) for axes in arrays]
    return len(sizes), sum(sizes)


def chain_numbers(arch: Architecture) -> int:
    """Numbers that are kept of a chain: matrix, eigenvalues, stationary law, mutual information."""
    return arch.n_states**2 + 3 * arch.n_states + arch.seq_len - 1

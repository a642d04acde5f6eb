"""How a measurement runs over its sequences: in one pass, or in several where memory is short."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from rgcore.architecture import Architecture

MEMORY = 2**28
"""Bytes that the moments, and the activations of a batch, may take, about."""
BATCH = 128
"""Most sequences at a time."""
BLOCK_SEQUENCES = 1024
"""Drawn at a time, whatever the batch size, so that the batch size does not choose them."""
QUARTERS = 4
"""Parts of the sequences whose read-outs are kept apart."""
MOST_LAG = 32
"""Tokens between two positions whose streams are correlated, and positions taken together."""
NUMBER = 8
"""Bytes of a float64."""
TARGET_COPIES = 20
"""Numbers held for each hidden token, over V, while the targets of its read-outs are made."""
ALL_PAIRS = frozenset({"masked", "pooled", "sequence"})
"""Levels at which every layer is compared with every other, elsewhere with its neighbours alone.

The rows of the others are all positions of all sequences: the products of all pairs of layers would
take longer than all the rest of a measurement together.
"""


@dataclass(frozen=True)
class Pass:
    """One run over all sequences: which positions of them, for what.

    Attributes:
        positions: of the streams.
        levels: to gather; `token` is put together from `position` where both are asked for.
        masked: whether to gather the loss, relevance and correlations too: takes all positions.
    """

    positions: slice
    levels: frozenset[str]
    masked: bool


def measurement_passes(arch: Architecture, levels: Set[str], memory: int = MEMORY) -> list[Pass]:
    """One pass; several where the moments of all positions would not fit in memory."""
    asked = frozenset(levels)
    if "position" not in asked:
        return [Pass(slice(None), asked, masked=True)]
    rest = asked - {"token"}
    size = max(1, memory // moment_bytes(arch, all_pairs=False))
    if size >= arch.seq_len:
        return [Pass(slice(None), rest, masked=True)]
    chunks = [
        Pass(slice(begin, begin + size), frozenset({"position"}), masked=False)
        for begin in range(0, arch.seq_len, size)
    ]
    return [*chunks, Pass(slice(None), rest - {"position"}, masked=True)]


def layer_pairs(arch: Architecture, *, all_pairs: bool) -> int:
    """Products of layers that are kept: of all with each other, or with their neighbours."""
    n_layers = arch.depth + 1
    return n_layers * (n_layers + 1) // 2 if all_pairs else 2 * n_layers - 1


def moment_bytes(arch: Architecture, *, all_pairs: bool) -> int:
    """Of these products for one group of rows."""
    return NUMBER * arch.width**2 * layer_pairs(arch, all_pairs=all_pairs)


def keeps_all_pairs(arch: Architecture, level: str, memory: int = MEMORY) -> bool:
    """Whether all pairs of layers are compared at a level: where they are wanted and fit."""
    return level in ALL_PAIRS and moment_bytes(arch, all_pairs=True) <= memory


def sequence_values(arch: Architecture, one: Pass, mask_prob: float) -> int:
    """Numbers held for a sequence: float64 copies of a stream, two hidden layers, targets."""
    copies = 6
    if one.levels & {"position", "token", "sequence"}:
        copies += arch.depth + 1
    streams = 1 if arch.mixes.one_stream else len(range(arch.seq_len)[one.positions])
    values = (copies * arch.width + arch.hidden) * streams
    if one.masked:
        values += round(TARGET_COPIES * arch.n_states * mask_prob * arch.seq_len)
    return values


def most_sequences(arch: Architecture, one: Pass, mask_prob: float, memory: int = MEMORY) -> int:
    """Sequences of a pass that fit at a time."""
    return max(1, memory // (NUMBER * sequence_values(arch, one, mask_prob)))

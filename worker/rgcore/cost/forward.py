"""The matrix products of running a network forward."""

from __future__ import annotations

from rgcore.architecture import Architecture
from rgcore.cost.parameters import channel_matrices, token_matrices


def forward_multiply_adds(
    arch: Architecture, *, sequences: float, streams: float, read: float, tables: float = 1
) -> float:
    """Multiply-adds of one run.

    Args:
        arch: of the network.
        sequences: that are run.
        streams: residual streams that the blocks compute.
        read: streams that are read out.
        tables: how often the stem is tabulated, once a batch.
    """
    blocks = streams * channel_matrices(arch) + sequences * arch.width * token_matrices(arch)
    stem = arch.slots * arch.n_ids * arch.width**2
    return arch.depth * blocks + read * arch.width * arch.logits + tables * stem

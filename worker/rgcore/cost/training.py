"""What it takes to train one network, by itself or as a member of a fleet."""

from __future__ import annotations

from rgcore.architecture import Architecture
from rgcore.cost.forward import forward_multiply_adds
from rgcore.cost.parameters import parameter_count, token_matrices

FLOAT = 4
"""Bytes of a float32."""
STATE = 8
"""Copies of a parameter: in the network and in the fleet, its gradient as it comes and as one row,
two moments, and room for the update."""
DRAWN_AHEAD, MOST_DRAWN = 32, 2**21
"""Batches that a member's stream draws at a time, and the most values in them."""
TOKEN = 17
"""Bytes of a token: as drawn, as the network reads it, and whether it is hidden."""


def step_multiply_adds(arch: Architecture, *, batch_size: int, mask_prob: float) -> float:
    """Of one step: forward, and twice as much for the gradients of weights and of activations.

    Args:
        arch: of the network.
        batch_size: sequences per step.
        mask_prob: probability that a token is hidden.
    """
    masked = mask_prob * batch_size * arch.seq_len
    return 3 * forward_multiply_adds(
        arch,
        sequences=batch_size,
        streams=step_streams(arch, batch_size, masked),
        read=batch_size if arch.mixes.one_stream else masked,
    )


def training_flops(arch: Architecture, *, steps: int, batch_size: int, mask_prob: float) -> float:
    """Floating-point operations of a training: two for each multiply-add of a product."""
    return 2.0 * steps * step_multiply_adds(arch, batch_size=batch_size, mask_prob=mask_prob)


def training_bytes(arch: Architecture, *, batch_size: int, mask_prob: float) -> int:
    """Bytes that one network takes while it is trained in float32, about and at most.

    Weights, gradient and moments, what is kept for the gradient, and sequences drawn ahead, which
    stay in the host's memory.
    """
    tokens = batch_size * arch.seq_len
    masked = mask_prob * tokens
    streams = step_streams(arch, batch_size, masked)
    floats = STATE * parameter_count(arch) + _activations(arch, batch_size, streams, masked)
    ids = 8 * (3 * tokens + 2 * masked + streams * arch.slots)
    return round(FLOAT * floats + ids + TOKEN * min(DRAWN_AHEAD * tokens, MOST_DRAWN))


def batches_drawn(arch: Architecture, batch_size: int) -> int:
    """Batches that a member draws at a time, used or not."""
    values = batch_size * (arch.seq_len + arch.n_states)
    return max(1, min(DRAWN_AHEAD, MOST_DRAWN // values))


def step_streams(arch: Architecture, batch_size: int, masked: float) -> float:
    """Residual streams that a step computes: of the hidden places alone, where that can be."""
    if arch.mixes.by_itself:
        return masked
    return batch_size * (1 if arch.mixes.one_stream else arch.seq_len)


def _activations(arch: Architecture, batch_size: int, streams: float, masked: float) -> float:
    """Numbers kept for the gradient, and the largest that pass."""
    # of a block: the stream, normed, as it is read, and hidden units before and after f
    block = streams * ((2 * arch.reads + 2) * arch.width + 2 * arch.hidden)
    if token_matrices(arch):
        block += batch_size * arch.width * (4 * arch.seq_len + 2 * arch.token_hidden)
    table = arch.slots * arch.n_ids * arch.width
    read = batch_size if arch.mixes.one_stream else masked
    logits = read * arch.logits + masked * arch.n_states
    return arch.depth * block + 2 * table + 3 * logits

"""The numbers that a network is trained in."""

from __future__ import annotations

from rgcore.architecture import NORMS, Architecture


def parameter_count(arch: Architecture) -> int:
    """Trainable parameters of a network, in closed form.

    Example:
        >>> from rgcore.architecture import Architecture
        >>> arch = Architecture(
        ...     n_states=4, seq_len=8, mixing="context", context=1, depth=2, width=8,
        ...     hidden_ratio=2.0, activation="gelu", norm="layer", residual_scale=1.0,
        ...     init_scale=1.0,
        ... )
        >>> parameter_count(arch)  # tokens 48, in 192, two blocks of 296, norm 16, out 36
        884
    """
    width, hidden = arch.width, arch.hidden
    norm = NORMS[arch.norm].parameters * width
    stem = arch.n_ids * width + arch.slots * width**2
    block = channel_matrices(arch) + hidden + width + norm
    if arch.mixes.token_mlp:
        block += token_matrices(arch) + arch.token_hidden + arch.seq_len + norm
    return stem + arch.depth * block + norm + (width + 1) * arch.logits


def channel_matrices(arch: Architecture) -> int:
    """Weights of the two matrices of a block that act on the channels of one position."""
    return (arch.reads + 1) * arch.width * arch.hidden


def token_matrices(arch: Architecture) -> int:
    """Weights of the two matrices of a mixer's block that act on the positions of one channel."""
    return 2 * arch.seq_len * arch.token_hidden if arch.mixes.token_mlp else 0

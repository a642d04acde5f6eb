"""What a network is made of, as numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Architecture:
    """A pure-MLP residual network on sequences of states."""

    n_states: int
    """V; the vocabulary is the states, the mask (V) and the padding (V + 1)."""
    seq_len: int
    """T, tokens."""
    mixing: str
    """`context` (a window around each position) or `flat` (the whole sequence at once)."""
    context: int
    """Radius c of the window, tokens; not used by `flat`."""
    depth: int
    """L, residual blocks."""
    width: int
    """d, dimension of the residual stream and of the token embedding."""
    hidden_ratio: float
    """Hidden units of a block over the width."""
    activation: str
    """`relu`, `gelu`, `tanh` or `silu`."""
    norm: str
    """`none`, `layer` or `rms`, at the entry of each block and before the read-out."""
    residual_scale: float
    """s, factor of a block's output."""
    init_scale: float
    """Factor on the standard deviation of the initial weights."""

    @property
    def tokens_in(self) -> int:
        """Tokens that one stream reads."""
        return self.seq_len if self.mixing == "flat" else 2 * self.context + 1

    @property
    def tokens_out(self) -> int:
        """Tokens that one stream predicts."""
        return self.seq_len if self.mixing == "flat" else 1


def hidden_units(arch: Architecture) -> int:
    """Hidden units of a block, at least one."""
    return max(1, round(arch.hidden_ratio * arch.width))


def parameter_count(arch: Architecture) -> int:
    """Trainable numbers of the network."""
    d, hidden = arch.width, hidden_units(arch)
    norm = {"none": 0, "layer": 2 * d, "rms": d}[arch.norm]
    block = norm + d * hidden + hidden + hidden * d + d
    embedding = (arch.n_states + 2) * d
    entry = arch.tokens_in * d * d
    read_out = arch.tokens_out * arch.n_states * (d + 1)
    return embedding + entry + arch.depth * block + norm + read_out

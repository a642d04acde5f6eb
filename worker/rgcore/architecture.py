"""What a network is, before any weight is drawn."""

from __future__ import annotations

from dataclasses import dataclass

from rgcore.errors import ParameterError
from rgcore.mixing import MIXINGS, Mixing

ACTIVATIONS = ("gelu", "relu", "silu", "tanh")
"""Each is the function of that name in `torch.nn.functional`."""


@dataclass(frozen=True)
class Norm:
    """What a norm has for each of the d channels; its arithmetic is in `rgcore.network.norms`."""

    gain: bool = False
    bias: bool = False

    @property
    def parameters(self) -> int:
        """Trainable numbers of a channel."""
        return self.gain + self.bias


NORMS = {"layer": Norm(gain=True, bias=True), "none": Norm(), "rms": Norm(gain=True)}


class ArchitectureError(ParameterError):
    """No such network: a choice that does not exist or a size out of range."""


@dataclass(frozen=True)
class Architecture:
    """Shape of a network; two networks of one architecture differ in their weights alone.

    Attributes:
        n_states: V, states of the chain; ids V and V + 1 are the mask and the padding.
        seq_len: T, tokens per sequence.
        mixing: one of `MIXINGS`.
        context: radius c of the window, in tokens; read by mixing `context` alone.
        depth: L, residual blocks.
        width: d, dimension of the residual stream and of the token embedding.
        hidden_ratio: hidden units of a block over d; of a mixer's token mixing, over T.
        activation: f, one of `ACTIVATIONS`.
        norm: N, one of `NORMS`; also the norm before the read-out.
        residual_scale: s, factor of a block's output.
        init_scale: factor on the standard deviation of all initial weights.

    Raises:
        ArchitectureError: a choice that does not exist or a size out of range.
    """

    n_states: int
    seq_len: int
    mixing: str
    context: int
    depth: int
    width: int
    hidden_ratio: float
    activation: str
    norm: str
    residual_scale: float
    init_scale: float

    def __post_init__(self) -> None:
        choices = {"mixing": MIXINGS, "activation": ACTIVATIONS, "norm": NORMS}
        for field, allowed in choices.items():
            if getattr(self, field) not in allowed:
                raise ArchitectureError(field, getattr(self, field), ", ".join(allowed))
        least = {"n_states": 1, "seq_len": 1, "context": 0, "depth": 1, "width": 1}
        for field, bound in least.items():
            if getattr(self, field) < bound:
                raise ArchitectureError(field, getattr(self, field), f"{bound} or more")
        for field in ("hidden_ratio", "residual_scale", "init_scale"):
            if not getattr(self, field) > 0:
                raise ArchitectureError(field, getattr(self, field), "above 0")

    @property
    def hidden(self) -> int:
        """Hidden units of a block: hidden_ratio * d, rounded, at least 1."""
        return max(1, round(self.hidden_ratio * self.width))

    @property
    def token_hidden(self) -> int:
        """Hidden units of a mixer's token mixing: hidden_ratio * T, rounded, at least 1."""
        return max(1, round(self.hidden_ratio * self.seq_len))

    @property
    def mixes(self) -> Mixing:
        """What follows from the mixing."""
        return MIXINGS[self.mixing]

    @property
    def slots(self) -> int:
        """Tokens that enter one stream."""
        return self.mixes.slots(self)

    @property
    def reads(self) -> int:
        """Normed streams that enter a block at each position."""
        return self.mixes.reads

    @property
    def logits(self) -> int:
        """Logits read from one stream: V; V for each position where a sequence has one stream."""
        return self.n_states * (self.seq_len if self.mixes.one_stream else 1)

    @property
    def view_radius(self) -> int | None:
        """How many tokens to each side can reach the read-out of a position.

        None for the whole sequence, wherever the position is.
        """
        return self.mixes.view_radius(self)

    @property
    def mask_id(self) -> int:
        """Token id that stands for a hidden token."""
        return self.n_states

    @property
    def padding_id(self) -> int:
        """Token id that stands for a place beyond the ends of the sequence."""
        return self.n_states + 1

    @property
    def n_ids(self) -> int:
        """Rows of the token embedding: states, mask, padding."""
        return self.n_states + 2

"""One residual block, and the two things that it is made of."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from rgcore.architecture import Architecture
from rgcore.network.lookup import summed_rows
from rgcore.network.norms import NORM_OF
from rgcore.network.weights import gaussian, gaussian_linear


def activation_of(arch: Architecture) -> Callable[[Tensor], Tensor]:
    """The non-linearity f of a network."""
    found: Callable[[Tensor], Tensor] = getattr(functional, arch.activation)
    return found


def make_norm(arch: Architecture) -> nn.Module:
    """N, as a new network has it."""
    return NORM_OF[arch.norm].module(arch.width)


class Block(nn.Module):
    """h + s * (W2 f(W1 N(h) + b1) + b2), on the last axis; W1 takes `arch.reads` normed streams."""

    def __init__(self, arch: Architecture, generator: torch.Generator) -> None:
        super().__init__()
        self.norm = make_norm(arch)
        n_in = arch.reads * arch.width
        self.enter = gaussian_linear(n_in, arch.hidden, arch.init_scale, generator)
        self.leave = gaussian_linear(arch.hidden, arch.width, arch.init_scale, generator)
        self.activation = activation_of(arch)
        self.scale = arch.residual_scale

    def forward(self, stream: Tensor) -> Tensor:
        """The stream after the block: (..., d) to (..., d)."""
        return self.add(stream, self.norm(stream))

    def add(self, stream: Tensor, read: Tensor) -> Tensor:
        """The stream (..., d) and what the block makes of (..., reads * d)."""
        hidden = self.activation(self.enter(read))  # (..., hidden)
        return torch.add(stream, self.leave(hidden), alpha=self.scale)


class Stem(nn.Module):
    """Embedding of k tokens into one stream: h = sum_i W_i e(x_i), without bias.

    W_i e(v) is tabulated for every slot i and id v, then looked up: k V matrix-vector products
    instead of k per stream.
    """

    def __init__(self, arch: Architecture, generator: torch.Generator) -> None:
        super().__init__()
        slots = arch.slots
        self.embedding = gaussian((arch.n_ids, arch.width), arch.init_scale, generator)
        std = arch.init_scale / (slots * arch.width) ** 0.5
        self.weight = gaussian((slots, arch.width, arch.width), std, generator)
        self.register_buffer("first_row", torch.arange(slots) * arch.n_ids, persistent=False)

    def forward(self, ids: Tensor) -> Tensor:
        """Streams of the ids of their slots: (m, k) int64 to (m, d)."""
        table = torch.matmul(self.embedding, self.weight)  # (k, V + 2, d)
        return summed_rows(table.flatten(0, 1), ids + self.get_buffer("first_row"))

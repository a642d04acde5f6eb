"""Mixing `mixer`: every block mixes the positions before the channels."""

from __future__ import annotations

import torch
from torch import Tensor

from rgcore.architecture import Architecture
from rgcore.network.block import Block, make_norm
from rgcore.network.coupled import CoupledNetwork
from rgcore.network.weights import gaussian_linear


class MixerBlock(Block):
    """A residual MLP over the T positions, then the residual MLP over the d channels.

    The first is one MLP for all channels, with a norm of its own: u[:, i] = h[:, i]
    + s (M2 f(M1 N'(h)[:, i] + a1) + a2) for channel i; then u + s (W2 f(W1 N(u) + b1) + b2)
    (Tolstikhin et al. 2021).
    """

    def __init__(self, arch: Architecture, generator: torch.Generator) -> None:
        super().__init__(arch, generator)
        length, hidden = arch.seq_len, arch.token_hidden
        self.token_norm = make_norm(arch)
        self.token_enter = gaussian_linear(length, hidden, arch.init_scale, generator)
        self.token_leave = gaussian_linear(hidden, length, arch.init_scale, generator)

    def forward(self, stream: Tensor) -> Tensor:
        """The streams after the block: (n, T, d) to (n, T, d)."""
        across = self.token_norm(stream).mT  # (n, d, T)
        hidden = self.activation(self.token_enter(across))  # (n, d, token_hidden)
        return super().forward(torch.add(stream, self.token_leave(hidden).mT, alpha=self.scale))


class MixerNetwork(CoupledNetwork):
    """h_0(t) = W e(x_t); every position sees the whole sequence from the first block on.

    The token mixing has weights of its own for every position, which is how a network without
    position embedding tells the positions apart.
    """

    block = MixerBlock

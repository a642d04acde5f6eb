"""Mixing `window`: every block sees one position further, as in real-space decimation."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from rgcore.network.block import Block
from rgcore.network.coupled import CoupledNetwork


class WindowBlock(Block):
    """h(t) + s (W2 f(W1 [N(h(t-1)) N(h(t)) N(h(t+1))] + b1) + b2); zeros beyond the ends."""

    def forward(self, stream: Tensor) -> Tensor:
        """The streams after the block: (n, T, d) to (n, T, d)."""
        normed = functional.pad(self.norm(stream), (0, 0, 1, 1))  # (n, T + 2, d)
        return self.add(stream, torch.cat([normed[:, :-2], normed[:, 1:-1], normed[:, 2:]], dim=2))


class WindowNetwork(CoupledNetwork):
    """h_0(t) = W e(x_t); after l blocks a position has seen l tokens to each side."""

    block = WindowBlock

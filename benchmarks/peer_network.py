"""The network of mixing `context` as somebody writes it who has PyTorch and no RGLab."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from rgcore.network import ResidualNetwork


class PeerBlock(nn.Module):
    """h + W2 gelu(W1 norm(h) + b1) + b2."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.enter = nn.Linear(width, hidden)
        self.leave = nn.Linear(hidden, width)

    def forward(self, stream: Tensor) -> Tensor:
        """The stream after the block: (..., d)."""
        update: Tensor = self.leave(functional.gelu(self.enter(self.norm(stream))))
        return stream + update


class PeerNetwork(nn.Module):
    """Embedded tokens of a window, side by side, through a linear map, blocks and a read-out.

    Starts from the weights of one of RGLab's networks: mixing `context`, GELU, layer norm, residual
    scale 1.
    """

    def __init__(self, network: ResidualNetwork) -> None:
        super().__init__()
        arch = network.arch
        slots = 2 * arch.context + 1
        self.radius, self.padding = arch.context, arch.padding_id
        self.embedding = nn.Embedding(arch.n_ids, arch.width)
        self.enter = nn.Linear(slots * arch.width, arch.width, bias=False)
        self.blocks = nn.ModuleList(PeerBlock(arch.width, arch.hidden) for _ in network.blocks)
        self.norm = nn.LayerNorm(arch.width)
        self.head = nn.Linear(arch.width, arch.n_states)
        with torch.no_grad():
            self.embedding.weight.copy_(network.stem.embedding)
            self.enter.weight.copy_(network.stem.weight.flatten(0, 1).T)
        for mine, given in zip(
            [*self.blocks, self.norm, self.head],
            [*network.blocks, network.final_norm, network.head],
            strict=True,
        ):
            mine.load_state_dict(given.state_dict())

    def windows(self, inputs: Tensor) -> Tensor:
        """The tokens around every position: (n, T) to (n, T, 2c + 1)."""
        padded = functional.pad(inputs, (self.radius, self.radius), value=self.padding)
        return padded.unfold(1, 2 * self.radius + 1, 1)

    def forward(self, windows: Tensor) -> Tensor:
        """Logits of windows: (..., 2c + 1) to (..., V)."""
        stream = self.enter(self.embedding(windows).flatten(-2))
        for block in self.blocks:
            stream = block(stream)
        logits: Tensor = self.head(self.norm(stream))
        return logits

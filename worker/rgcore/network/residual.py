"""What networks of every mixing have in common: blocks, final norm, read-out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

import torch
from torch import Tensor, nn

from rgcore.architecture import Architecture
from rgcore.network.block import Block, Stem, make_norm
from rgcore.network.weights import gaussian_linear

EVERYWHERE = slice(None)
"""All positions of the sequence."""


class ResidualNetwork(nn.Module, ABC):
    """A stem, L residual blocks, a norm and a linear read-out of V logits per position.

    Inputs are (n, T) int64 token ids: states 0..V-1, V for a hidden token.

    Attributes:
        arch: the architecture.
        block: what its blocks are.
    """

    block: ClassVar[type[Block]] = Block

    def __init__(self, arch: Architecture, generator: torch.Generator) -> None:
        super().__init__()
        self.arch = arch
        self.stem = Stem(arch, generator)
        self.blocks = nn.ModuleList(self.block(arch, generator) for _ in range(arch.depth))
        self.final_norm = make_norm(arch)
        self.head = gaussian_linear(arch.width, arch.logits, arch.init_scale, generator)

    @abstractmethod
    def embed(self, inputs: Tensor, positions: slice = EVERYWHERE) -> Tensor:
        """h_0: (n, T', d), (n, d) for mixing `flat`."""

    @abstractmethod
    def forward(self, inputs: Tensor, positions: slice = EVERYWHERE) -> Tensor:
        """Logits (n, T', V) at the positions of the slice, all T by default."""

    @abstractmethod
    def masked_logits(self, inputs: Tensor, mask: Tensor) -> Tensor:
        """Logits (m, V) at the m places where the mask (n, T) is True, row by row."""

    def read_masked(self, stream: Tensor, mask: Tensor) -> Tensor:
        """Logits (m, V) out of h_L where the mask, (n, T') of the same positions, is True."""
        return self.read_out(stream[mask])

    def streams(self, inputs: Tensor, positions: slice = EVERYWHERE) -> Iterator[Tensor]:
        """h_0, ..., h_L one at a time, as `residual_stream` without keeping them."""
        stream = self.embed(inputs, positions)
        yield stream
        for block in self.blocks:
            stream = block(stream)
            yield stream

    def residual_stream(self, inputs: Tensor, positions: slice = EVERYWHERE) -> list[Tensor]:
        """The L + 1 states h_0, ..., h_L of the residual stream.

        Args:
            inputs: (n, T) token ids.
            positions: where, if streams have positions.

        Returns:
            Tensors of shape (n, T', d), (n, d) for mixing `flat`.
        """
        return list(self.streams(inputs, positions))

    def read_out(self, stream: Tensor) -> Tensor:
        """Logits of h_L: (..., d) to (..., V), to (..., T * V) for mixing `flat`."""
        logits: Tensor = self.head(self.final_norm(stream))
        return logits

    def through_blocks(self, stream: Tensor) -> Tensor:
        """h_L of h_0."""
        for block in self.blocks:
            stream = block(stream)
        return stream

"""Mixing `context`: each position sees a window of tokens and nothing of other positions."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from rgcore.network.residual import EVERYWHERE, ResidualNetwork


class ContextNetwork(ResidualNetwork):
    """h_0(t) = W_in [e(x_{t-c}) ... e(x_{t+c})]; blocks act on each position by itself.

    Beyond the ends of the sequence the window reads padding. A position can be computed without
    the others, so training computes the masked ones only.
    """

    def windows(self, inputs: Tensor) -> Tensor:
        """Windows around all positions, a view: (n, T) to (n, T, 2c + 1)."""
        radius = self.arch.context
        padded = functional.pad(inputs, (radius, radius), value=self.arch.padding_id)
        return padded.unfold(1, 2 * radius + 1, 1)

    def embed(self, inputs: Tensor, positions: slice = EVERYWHERE) -> Tensor:
        """h_0 at the positions of the slice: (n, T) to (n, T', d)."""
        windows = self.windows(inputs)[:, positions]  # (n, T', 2c + 1)
        stream: Tensor = self.stem(windows.flatten(0, 1))
        return stream.reshape(*windows.shape[:2], -1)

    def forward(self, inputs: Tensor, positions: slice = EVERYWHERE) -> Tensor:
        """Logits (n, T', V) at the positions of the slice, all T by default."""
        return self.read_out(self.through_blocks(self.embed(inputs, positions)))

    def masked_logits(self, inputs: Tensor, mask: Tensor) -> Tensor:
        """Logits (m, V) at the masked places; the others are not computed."""
        return self.read_out(self.through_blocks(self.stem(self.windows(inputs)[mask])))

"""Networks whose blocks carry something from position to position."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from rgcore.network.residual import EVERYWHERE, ResidualNetwork


class CoupledNetwork(ResidualNetwork):
    """h_0(t) = W e(x_t), one stream per position; blocks see all streams of a sequence.

    A position cannot be computed without the others: whatever positions are asked for, the blocks
    run on all T of them, and a slice of positions saves the read-out alone.
    """

    def embed(self, inputs: Tensor, positions: slice = EVERYWHERE) -> Tensor:
        """h_0 at the positions of the slice: (n, T) to (n, T', d)."""
        ids = inputs[:, positions]
        stream: Tensor = self.stem(ids.reshape(-1, 1))
        return stream.reshape(*ids.shape, -1)

    def streams(self, inputs: Tensor, positions: slice = EVERYWHERE) -> Iterator[Tensor]:
        """h_0, ..., h_L at the positions of the slice, at the cost of all positions."""
        for stream in super().streams(inputs):
            yield stream[:, positions]

    def forward(self, inputs: Tensor, positions: slice = EVERYWHERE) -> Tensor:
        """Logits (n, T', V) at the positions of the slice, all T by default."""
        return self.read_out(self.through_blocks(self.embed(inputs))[:, positions])

    def masked_logits(self, inputs: Tensor, mask: Tensor) -> Tensor:
        """Logits (m, V) at the masked places; the blocks run on all places."""
        return self.read_masked(self.through_blocks(self.embed(inputs)), mask)

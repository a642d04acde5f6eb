"""Mixing `flat`: the whole sequence in one residual stream."""

from __future__ import annotations

from torch import Tensor

from rgcore.network.residual import EVERYWHERE, ResidualNetwork


class FlatNetwork(ResidualNetwork):
    """h_0 = W_in vec(e(x_1) ... e(x_T)), one stream per sequence; the read-out is T x V."""

    def embed(self, inputs: Tensor, positions: slice = EVERYWHERE) -> Tensor:
        """h_0: (n, T) to (n, d).

        Raises:
            ValueError: positions are selected, and there is one stream for all of them.
        """
        if positions != EVERYWHERE:
            raise ValueError(f"positions is {positions}; allowed: all, mixing flat has one stream")
        stream: Tensor = self.stem(inputs)
        return stream

    def forward(self, inputs: Tensor, positions: slice = EVERYWHERE) -> Tensor:
        """Logits (n, T', V) at the positions of the slice, all T by default."""
        return self._by_position(self.through_blocks(self.embed(inputs)))[:, positions]

    def read_masked(self, stream: Tensor, mask: Tensor) -> Tensor:
        """Logits (m, V) out of h_L (n, d) where the mask (n, T) is True."""
        return self._by_position(stream)[mask]

    def masked_logits(self, inputs: Tensor, mask: Tensor) -> Tensor:
        """Logits (m, V) at the masked places."""
        return self.forward(inputs)[mask]

    def _by_position(self, stream: Tensor) -> Tensor:
        """Logits of h_L: (n, d) to (n, T, V)."""
        return self.read_out(stream).reshape(-1, self.arch.seq_len, self.arch.n_states)

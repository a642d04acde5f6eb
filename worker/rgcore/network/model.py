"""Tokens -> embedding -> residual stream h_0 ... h_L -> logits."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from rgcore.network.architecture import Architecture
from rgcore.network.block import Block, bare_linear, draw, make_norm


class ResidualNetwork(nn.Module):
    """A pure-MLP residual network.

    Inputs are (n, T) token ids: states 0..V-1, the mask V; padding V + 1 is added at the edges.
    """

    def __init__(self, arch: Architecture, generator: torch.Generator) -> None:
        """Draw all weights from the generator, none from the global one."""
        super().__init__()
        self.arch = arch
        vocabulary, d = arch.n_states + 2, arch.width
        self.embedding = nn.Parameter(torch.empty(vocabulary, d))
        nn.init.normal_(self.embedding, std=arch.init_scale, generator=generator)
        self.entry = bare_linear(arch.tokens_in * d, d, bias=False)  # W_in
        draw(self.entry, arch.init_scale, generator)
        self.blocks = nn.ModuleList(Block(arch, generator) for _ in range(arch.depth))
        self.final_norm = make_norm(arch.norm, d)
        self.read_out = bare_linear(d, arch.tokens_out * arch.n_states)
        draw(self.read_out, arch.init_scale, generator)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits of every position; (n, T) -> (n, T, V)."""
        return self._logits(self._deepest(self._windows(inputs)))

    def masked_logits(self, inputs: Tensor, mask: Tensor) -> Tensor:
        """Logits where the mask is True, in row-major order; (n, T), (n, T) -> (m, V).

        With `context` mixing only these positions are computed.
        """
        if self.arch.mixing == "flat":
            return self.forward(inputs)[mask]
        return self._logits(self._deepest(self._windows(inputs)[mask]))

    def residual_stream(self, inputs: Tensor, positions: slice | None = None) -> list[Tensor]:
        """h_0 ... h_L, in inference.

        Args:
            inputs: (n, T) token ids.
            positions: only these, with `context` mixing.

        Returns:
            L + 1 tensors: (n, T', d) with `context`, (n, d) with `flat`.
        """
        windows = self._windows(inputs)
        if positions is not None:
            windows = windows[:, positions]
        h = self._enter(windows)
        stream = [h]
        for block in self.blocks:
            h = block(h)
            stream.append(h)
        return stream

    def _windows(self, inputs: Tensor) -> Tensor:
        """The tokens that each stream reads: (n, T, 2c + 1) with `context`, (n, T) with `flat`."""
        if self.arch.mixing == "flat":
            return inputs
        c = self.arch.context
        padded = functional.pad(inputs, (c, c), value=self.arch.n_states + 1)
        return padded.unfold(1, 2 * c + 1, 1)

    def _enter(self, windows: Tensor) -> Tensor:
        embedded = functional.embedding(windows, self.embedding)  # (..., k, d)
        h: Tensor = self.entry(embedded.flatten(-2))  # (..., d)
        return h

    def _deepest(self, windows: Tensor) -> Tensor:
        h = self._enter(windows)
        for block in self.blocks:
            h = block(h)
        return h

    def _logits(self, h: Tensor) -> Tensor:
        logits: Tensor = self.read_out(self.final_norm(h))
        if self.arch.mixing == "flat":
            return logits.unflatten(-1, (self.arch.seq_len, self.arch.n_states))
        return logits


def build_network(arch: Architecture, generator: torch.Generator) -> ResidualNetwork:
    """A network with fresh weights; the same generator state gives the same weights.

    Raises:
        ValueError: the mixing is unknown.
    """
    if arch.mixing not in {"context", "flat"}:
        raise ValueError(f"mixing = {arch.mixing!r}; allowed: context, flat")
    return ResidualNetwork(arch, generator)

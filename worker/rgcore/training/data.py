"""Masked sequences without end: what training and measuring read."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rgcore.chain import Chain

BLOCK_VALUES = 2**21
"""Bounds what is drawn at a time: (T + V) values for each sequence."""
MOST_BATCHES = 32


@dataclass(frozen=True, eq=False)
class Batch:
    """Sequences with some of their tokens hidden; int64 and bool, on the generator's device.

    Attributes:
        tokens: (..., T), what the chain drew.
        mask: (..., T), True where the token is hidden.
        inputs: (..., T), the tokens with V at the hidden places.
    """

    tokens: Tensor
    mask: Tensor
    inputs: Tensor


def masked_block(
    chain: Chain, n: int, seq_len: int, mask_prob: float, generator: torch.Generator
) -> Batch:
    """Draw n sequences and hide each of their tokens with probability mask_prob.

    Args:
        chain: their law.
        n: how many.
        seq_len: T.
        mask_prob: independently for each token; nothing keeps all from staying visible.
        generator: on any device.
    """
    tokens = chain.sample(n, seq_len, generator)
    drawn = torch.rand(tokens.shape, dtype=torch.float64, device=tokens.device, generator=generator)
    mask = drawn < mask_prob
    return Batch(tokens, mask, tokens.masked_fill(mask, chain.n_states))


def never_empty(batch: Batch, mask_id: int, place: int) -> Batch:
    """The batch; if none of its tokens is hidden, with one hidden, counted round it row by row."""
    if batch.mask.any():
        return batch
    mask = batch.mask.clone()
    mask.view(-1)[place % mask.numel()] = True
    return Batch(batch.tokens, mask, batch.tokens.masked_fill(mask, mask_id))


@dataclass(frozen=True, eq=False)
class StreamState:
    """Where a stream of batches stands.

    Attributes:
        generator_state: of the generator, before the block in use was drawn.
        used: batches of that block already given out.
    """

    generator_state: Tensor
    used: int


class BatchStream:
    """Batches of fresh masked sequences, drawn many at a time because a draw has a fixed cost.

    A batch in which no token is hidden gets one hidden: the first place of the first batch of a
    block, the second of the second, and so on.
    """

    def __init__(
        self,
        chain: Chain,
        batch_size: int,
        seq_len: int,
        mask_prob: float,
        generator: torch.Generator,
    ) -> None:
        self.chain = chain
        self.batch_size = batch_size
        self.seq_len = seq_len
        self.mask_prob = mask_prob
        self.generator = generator
        values = batch_size * (seq_len + chain.n_states)
        self.n_batches = max(1, min(MOST_BATCHES, BLOCK_VALUES // values))
        self._draw()

    def next(self) -> Batch:
        """The next batch: arrays of shape (batch_size, T)."""
        if self._used == self.n_batches:
            self._draw()
        rows = slice(self._used * self.batch_size, (self._used + 1) * self.batch_size)
        block = self._block
        batch = Batch(block.tokens[rows], block.mask[rows], block.inputs[rows])
        self._used += 1
        if self._hides[self._used - 1]:
            return batch
        return never_empty(batch, self.chain.n_states, place=self._used - 1)

    @property
    def state(self) -> StreamState:
        """Where the stream stands: `restore` continues from here."""
        return StreamState(self._begin.clone(), self._used)

    def restore(self, state: StreamState) -> None:
        """Continue from a state of a stream with the same chain, sizes and mask_prob."""
        self.generator.set_state(state.generator_state)
        self._draw()
        self._used = state.used

    def _draw(self) -> None:
        self._begin = self.generator.get_state()
        self._block = masked_block(
            self.chain,
            self.n_batches * self.batch_size,
            self.seq_len,
            self.mask_prob,
            self.generator,
        )
        self._hides: list[bool] = self._block.mask.view(self.n_batches, -1).any(dim=1).tolist()
        self._used = 0

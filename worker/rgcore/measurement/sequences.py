"""The fresh sequences that a network is measured on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rgcore.chain import Chain
from rgcore.cost.passes import BLOCK_SEQUENCES
from rgcore.random import derive_generator
from rgcore.training.data import Batch, masked_block, never_empty


@dataclass(frozen=True, eq=False)
class Sequences:
    """n masked sequences from the stream "measure" of a seed, the same at every reading.

    The first n are the same for every larger n.

    Attributes:
        chain: their law.
        seq_len: T.
        n: how many.
        mask_prob: probability that a token is hidden.
        seed: of tokens and masks.
    """

    chain: Chain
    seq_len: int
    n: int
    mask_prob: float
    seed: int

    def blocks(self) -> Iterator[Batch]:
        """All sequences, block by block; a block without a hidden token gets one hidden."""
        generator = derive_generator(self.seed, "measure")
        for begin in range(0, self.n, BLOCK_SEQUENCES):
            block = masked_block(
                self.chain, BLOCK_SEQUENCES, self.seq_len, self.mask_prob, generator
            )
            block = _rows(block, 0, min(BLOCK_SEQUENCES, self.n - begin))
            yield never_empty(block, self.chain.n_states, place=begin)

    def batches(self, size: int) -> Iterator[tuple[int, Batch]]:
        """All sequences, at most `size` at a time, each batch within one quarter: 0, 1, 2 or 3.

        Quarters 0 and 1 are the first n // 2 sequences, and quarter 0 the first half of those.
        """
        half = self.n // 2
        bounds = [half // 2, half, half + (self.n - half) // 2, self.n]
        begin, quarter = 0, 0
        for block in self.blocks():
            end = begin + len(block.tokens)
            now = begin
            while now < end:
                while now == bounds[quarter]:
                    quarter += 1
                stop = min(now + size, end, bounds[quarter])
                yield quarter, _rows(block, now - begin, stop - begin)
                now = stop
            begin = end


def _rows(batch: Batch, begin: int, end: int) -> Batch:
    rows = slice(begin, end)
    return Batch(batch.tokens[rows], batch.mask[rows], batch.inputs[rows])

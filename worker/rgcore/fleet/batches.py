"""The batches of all members side by side, each drawn from its member's own stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rgcore.training import BatchStream

NO_TARGET = -100
"""Marks a row that stands only to make up the number."""
AHEAD_TOKENS = 2**18
MOST_AHEAD = 16
"""Batches are put together many steps at a time, within this many tokens."""


@dataclass(frozen=True, eq=False)
class FleetBatch:
    """What one step of K members reads, on their device.

    Attributes:
        inputs: (K, n, T) int64 token ids, V at hidden places.
        rows: (K, m) int64, the hidden places among the n T of their member. Members with fewer
            than m have zeros at the end.
        targets: (K, m) int64, the tokens there, `NO_TARGET` at the end.
        counts: (K,) int64, hidden places of each member.
    """

    inputs: Tensor
    rows: Tensor
    targets: Tensor
    counts: Tensor


class FleetStream:
    """Batches of K members, `steps` of them."""

    def __init__(self, streams: Sequence[BatchStream], steps: int, device: torch.device) -> None:
        self.streams = list(streams)
        self.left = steps
        self.device = device
        self._ready: list[FleetBatch] = []

    def next(self) -> FleetBatch:
        """The next batch."""
        if not self._ready:
            self._ready = self._draw()
        return self._ready.pop()

    def keep(self, rows: Tensor) -> None:
        """Drop all members but these."""
        self.streams = [self.streams[row] for row in rows.tolist()]
        rows = rows.to(self.device)
        self._ready = [
            FleetBatch(
                batch.inputs[rows], batch.rows[rows], batch.targets[rows], batch.counts[rows]
            )
            for batch in self._ready
        ]

    def _draw(self) -> list[FleetBatch]:
        """The next few batches, the last first."""
        members = len(self.streams)
        one = self.streams[0]
        tokens_of_a_step = members * one.batch_size * one.seq_len
        steps = max(1, min(MOST_AHEAD, self.left, AHEAD_TOKENS // tokens_of_a_step))
        self.left -= steps
        batches = [stream.next() for _ in range(steps) for stream in self.streams]
        inputs = torch.stack([batch.inputs for batch in batches])  # (steps * K, n, T)
        tokens = torch.stack([batch.tokens for batch in batches]).flatten(1)
        mask = torch.stack([batch.mask for batch in batches]).flatten(1)
        counts = mask.sum(dim=1)
        most = int(counts.max())
        batch_of, place = mask.nonzero(as_tuple=True)
        before = counts.cumsum(0) - counts
        at = (batch_of, torch.arange(len(place), device=mask.device) - before[batch_of])
        rows = counts.new_zeros(len(batches), most)
        rows[at] = place
        targets = counts.new_full((len(batches), most), NO_TARGET)
        targets[at] = tokens[mask]
        largest = counts.view(steps, members).amax(dim=1).tolist()
        pieces = zip(
            self._placed(inputs.view(steps, members, *inputs.shape[1:])),
            self._placed(rows.view(steps, members, most)),
            self._placed(targets.view(steps, members, most)),
            self._placed(counts.view(steps, members)),
            largest,
            strict=True,
        )
        ready = [FleetBatch(i, r[:, :m], t[:, :m], c) for i, r, t, c, m in pieces]
        return ready[::-1]

    def _placed(self, values: Tensor) -> Tensor:
        """On the device; from pinned memory, so that nothing waits for the copy."""
        if self.device.type == "cuda" and not values.is_cuda:
            values = values.pin_memory()
        return values.to(self.device, non_blocking=True)

"""Members that take their steps together."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from functools import partial

import torch
from torch import Tensor

from rgcore.fleet.batches import FleetBatch, FleetStream
from rgcore.fleet.forward import FleetForward
from rgcore.fleet.gradient import Gradient, gradient_of
from rgcore.fleet.graph import Recorder, ReplayedGradient
from rgcore.fleet.member import Member
from rgcore.fleet.optimizer import FleetOptimizer
from rgcore.fleet.stack import Stack
from rgcore.network import ResidualNetwork
from rgcore.random import derive_generator
from rgcore.training import BatchStream, DivergedError, TrainingTrace, learning_rate
from rgcore.training.trace import LossRecorder


class Lockstep(ABC):
    """A fleet between two steps; what computes the steps is a subclass's.

    Args:
        members: of one shape, see `check_members`.

    Attributes:
        step: steps done.
        here: indices of the members that are still trained, by their row.
        recorders: of all members, by index.
        results: what is known of each member at the end, by index.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = members
        self.plan = members[0].plan
        self.step = 0
        self.here = list(range(len(members)))
        self.recorders = [LossRecorder(self.plan.steps) for _ in members]
        self.results: list[TrainingTrace | DivergedError | None] = [None] * len(members)
        self._pending: list[Tensor] = []  # (K,) each

    @abstractmethod
    def _advance(self, share: float) -> Tensor:
        """Move all weights at this share of their peak learning rates; the losses (K,) before."""

    @abstractmethod
    def _keep(self, rows: Sequence[int]) -> None:
        """Drop all rows but these."""

    @abstractmethod
    def _write(self, row: int, network: ResidualNetwork) -> None:
        """Give a network the weights of a row."""

    def advance(self) -> None:
        """One step of all members, each on the next batch of its own."""
        self._end_step(self._advance(self._share))

    def _end_step(self, losses: Tensor) -> None:
        """A step is done; its losses (K,) are read later."""
        self._pending.append(losses)
        self.step += 1

    @property
    def _share(self) -> float:
        return learning_rate(self.plan.schedule, self.step, self.plan.steps, 1.0)

    @property
    def point_due(self) -> bool:
        """Whether this step is a point of the traces."""
        return self.step % self.recorders[0].interval == 0

    def read_losses(self) -> None:
        """Hand the losses still on the device to the recorders, and drop who diverged."""
        losses = torch.stack(self._pending, dim=1).double().tolist()
        self._pending = []
        diverged = []
        for index, row in zip(self.here, losses, strict=True):
            try:
                self.recorders[index].read(row)
            except DivergedError as error:
                self.results[index] = error
                diverged.append(index)
        self.drop(diverged)

    def drop(self, indices: Collection[int]) -> None:
        """Go on without these members; losses must have been read."""
        stays = [row for row, index in enumerate(self.here) if index not in indices]
        if len(stays) == len(self.here):
            return
        self.here = [self.here[row] for row in stays]
        self._keep(stays)

    def write(self, index: int) -> None:
        """Give the network of a member its weights."""
        self._write(self.here.index(index), self.members[index].network)


class Batched(Lockstep):
    """All members as one batched model of torch's, on the device they are on.

    Args:
        members: of one shape, see `check_members`.
        stream: the batches of all their steps, see `fleet_stream`.
        record: how a step is recorded; None for no recording.
    """

    def __init__(
        self, members: Sequence[Member], stream: FleetStream, record: Recorder | None
    ) -> None:
        super().__init__(members)
        self._stack = Stack([member.network for member in members])
        self._optimizer = FleetOptimizer(self._stack, [member.plan for member in members])
        self._forward = FleetForward(members[0].network.arch, self._stack.flat.detach())
        self._stream = stream
        self._record = record
        self._gradient = self._gradient_rule()

    def advance_on(self, batch: FleetBatch) -> None:
        """One step of all members, on this batch."""
        self._end_step(self._on(batch, self._share))

    def _advance(self, share: float) -> Tensor:
        return self._on(self._stream.next(), share)

    def _on(self, batch: FleetBatch, share: float) -> Tensor:
        gradient = self._gradient(batch)
        self._optimizer.step(gradient.of_weights, share)
        return gradient.losses

    def _keep(self, rows: Sequence[int]) -> None:
        kept = torch.tensor(rows, dtype=torch.int64)
        self._stack.keep(kept)
        self._optimizer.keep(kept)
        self._stream.keep(kept)
        self._gradient = self._gradient_rule()  # a recording is of one array of weights

    def _write(self, row: int, network: ResidualNetwork) -> None:
        self._stack.write(row, network)

    def _gradient_rule(self) -> Callable[[FleetBatch], Gradient]:
        plain = partial(gradient_of, self._stack, self._forward)
        if self._record is None:
            return plain
        return ReplayedGradient(plain, self.plan.mask_prob, self._record)


def fleet_stream(members: Sequence[Member], seq_len: int) -> FleetStream:
    """The batches of all steps of the members, each from its member's own stream."""
    device = next(members[0].network.parameters()).device
    return FleetStream(
        [member_stream(one, seq_len) for one in members], members[0].plan.steps, device
    )


def member_stream(member: Member, seq_len: int) -> BatchStream:
    """The batches of one member."""
    plan = member.plan
    generator = derive_generator(member.seed, "data")
    return BatchStream(member.chain, plan.batch_size, seq_len, plan.mask_prob, generator)

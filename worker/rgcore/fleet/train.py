"""The training loop of a fleet."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial

import torch
from torch import Tensor

from rgcore.fleet.batches import FleetBatch, FleetStream
from rgcore.fleet.forward import FleetForward
from rgcore.fleet.gradient import Gradient, gradient_of
from rgcore.fleet.graph import ReplayedGradient, record_on_cuda
from rgcore.fleet.member import Member, check_members
from rgcore.fleet.optimizer import FleetOptimizer
from rgcore.fleet.stack import Stack
from rgcore.random import derive_generator
from rgcore.training import (
    BatchStream,
    DivergedError,
    Progress,
    TrainingTrace,
    learning_rate,
    train,
)
from rgcore.training.trace import LossRecorder


def train_fleet(
    members: Sequence[Member],
    *,
    seq_len: int,
    on_progress: Callable[[int, Progress], None] | None = None,
    progress_every: int = 20,
    on_stop: Callable[[int, int], None] | None = None,
    leaving: Callable[[], Collection[int]] | None = None,
) -> list[TrainingTrace | DivergedError | None]:
    """Train networks of one shape in place as one batched model, on the device they are on.

    Each member sees the sequences that `rgcore.training.train` would show it and goes by the same
    rules. How many others there are, its place among them and what becomes of them change its
    numbers by rounding alone. A fleet of one is a run by itself.

    Args:
        members: alike in architecture, device, precision and in steps, batch_size, mask_prob,
            optimizer, schedule and momentum of their plans. The network of one that left or
            diverged is of no use afterwards.
        seq_len: T.
        on_progress: called with the index of a member every `progress_every` steps and after the
            last.
        progress_every: steps between two reports.
        on_stop: called with the index of a member and its steps done at each of its stops; its
            network has the weights of that moment. What becomes of them is not read.
        leaving: asked every `progress_every` steps for the indices of members to drop; it may
            name some that are gone already.

    Returns:
        For each member its trace, the error it diverged with, or None where it left.

    Raises:
        FleetError: the members differ in what they must share.
    """
    check_members(members)
    if len(members) == 1:
        return [_alone(members[0], seq_len, on_progress, progress_every, on_stop, leaving)]
    if not members:
        return []
    fleet = _Fleet(members, seq_len)
    steps = members[0].plan.steps
    while fleet.here and fleet.step < steps:
        fleet.advance()
        step = fleet.step
        reporting = step % progress_every == 0 or step == steps
        if reporting or fleet.point_due:
            fleet.read_losses()
        if reporting and on_progress is not None:
            for index in fleet.here:
                loss = fleet.recorders[index].recent()
                on_progress(index, Progress(step, steps, loss))
        if on_stop is not None:
            for index in fleet.here:
                if step in members[index].stops:
                    fleet.write(index)
                    on_stop(index, step)
        if leaving is not None and reporting and step < steps:
            fleet.drop(leaving())
    for index in fleet.here:
        fleet.write(index)
        fleet.results[index] = fleet.recorders[index].trace()
    return fleet.results


class _Fleet:
    """A fleet between two steps.

    Attributes:
        step: steps done.
        here: indices of the members that are still trained, by their row of the stack.
        recorders: of all members, by index.
        results: what is known of each member at the end, by index.
    """

    def __init__(self, members: Sequence[Member], seq_len: int) -> None:
        self.members = members
        self.plan = members[0].plan
        self.step = 0
        self.here = list(range(len(members)))
        self.recorders = [LossRecorder(self.plan.steps) for _ in members]
        self.results: list[TrainingTrace | DivergedError | None] = [None] * len(members)
        self._stack = Stack([member.network for member in members])
        self._optimizer = FleetOptimizer(self._stack, [member.plan for member in members])
        self._forward = FleetForward(members[0].network.arch, self._stack.flat.detach())
        streams = [_stream(member, seq_len) for member in members]
        self._stream = FleetStream(streams, self.plan.steps, self._stack.flat.device)
        self._gradient = self._gradient_rule()
        self._pending: list[Tensor] = []  # (K,) each

    def advance(self) -> None:
        """One step of all members."""
        gradient = self._gradient(self._stream.next())
        share = learning_rate(self.plan.schedule, self.step, self.plan.steps, 1.0)
        self._optimizer.step(gradient.of_weights, share)
        self._pending.append(gradient.losses)
        self.step += 1

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
        rows = torch.tensor(stays, dtype=torch.int64)
        self._stack.keep(rows)
        self._optimizer.keep(rows)
        self._stream.keep(rows)
        self._gradient = self._gradient_rule()  # a recording is of one array of weights

    def write(self, index: int) -> None:
        """Give the network of a member its weights."""
        self._stack.write(self.here.index(index), self.members[index].network)

    def _gradient_rule(self) -> Callable[[FleetBatch], Gradient]:
        plain = partial(gradient_of, self._stack, self._forward)
        device = self._stack.flat.device
        if device.type != "cuda":
            return plain
        return ReplayedGradient(plain, self.plan.mask_prob, partial(record_on_cuda, device))


def _stream(member: Member, seq_len: int) -> BatchStream:
    plan = member.plan
    generator = derive_generator(member.seed, "data")
    return BatchStream(member.chain, plan.batch_size, seq_len, plan.mask_prob, generator)


class _LeftError(Exception):
    """The only member leaves."""


def _alone(
    member: Member,
    seq_len: int,
    on_progress: Callable[[int, Progress], None] | None,
    progress_every: int,
    on_stop: Callable[[int, int], None] | None,
    leaving: Callable[[], Collection[int]] | None,
) -> TrainingTrace | DivergedError | None:
    """A fleet of one: the plain loop."""

    def report(progress: Progress) -> None:
        if on_progress is not None:
            on_progress(0, progress)
        if leaving is not None and progress.step < progress.steps and 0 in leaving():
            raise _LeftError

    def stop(step: int) -> None:
        if on_stop is not None:
            on_stop(0, step)

    try:
        return train(
            member.network,
            member.chain,
            member.plan,
            member.seed,
            seq_len=seq_len,
            on_progress=report,
            progress_every=progress_every,
            stops=member.stops,
            on_stop=stop,
        )
    except DivergedError as error:
        return error
    except _LeftError:
        return None

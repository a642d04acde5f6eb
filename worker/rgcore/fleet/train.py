"""The training loop of a fleet."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial

from rgcore.fleet.backend import Backend
from rgcore.fleet.graph import record_on_cuda
from rgcore.fleet.lockstep import Batched, Lockstep, fleet_stream
from rgcore.fleet.member import Member, check_members
from rgcore.training import DivergedError, Progress, TrainingTrace, train


def train_fleet(
    members: Sequence[Member],
    *,
    seq_len: int,
    on_progress: Callable[[int, Progress], None] | None = None,
    progress_every: int = 20,
    on_stop: Callable[[int, int], None] | None = None,
    leaving: Callable[[], Collection[int]] | None = None,
    backend: Backend | None = None,
) -> list[TrainingTrace | DivergedError | None]:
    """Train networks of one shape in place, on the device they are on.

    Each member sees the sequences that `rgcore.training.train` would show it and goes by the same
    rules. How many others there are, its place among them and what becomes of them change its
    numbers by rounding alone. Torch trains a fleet of one as a run by itself and a larger one as
    one batched model.

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
        backend: what computes, one that does not refuse these members; None for torch.

    Returns:
        For each member its trace, the error it diverged with, or None where it left.

    Raises:
        FleetError: the members differ in what they must share.
    """
    check_members(members)
    if not members:
        return []
    if backend is None and len(members) == 1:
        return [_alone(members[0], seq_len, on_progress, progress_every, on_stop, leaving)]
    fleet = _batched(members, seq_len) if backend is None else backend.start(members, seq_len)
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


def _batched(members: Sequence[Member], seq_len: int) -> Lockstep:
    device = next(members[0].network.parameters()).device
    record = partial(record_on_cuda, device) if device.type == "cuda" else None
    return Batched(members, fleet_stream(members, seq_len), record)


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

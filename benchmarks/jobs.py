"""What a process of a crew is told to train: so many steps of some seeds, one way or another."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.ceilings import products
from benchmarks.peer_loops import Loop, masked_loop, plain_loop
from benchmarks.peer_network import PeerNetwork
from benchmarks.race import RefusedError
from benchmarks.shapes import Shape
from rgcore.fleet import Backend, Member, train_fleet
from rgcore.sizing import choose_fleet_size
from rgcore.training import DivergedError, TrainingTrace, train

MEMORY = 2**31
"""Bytes that the fleet of a process may take."""


@dataclass(frozen=True)
class Trained:
    """What training some members took.

    Attributes:
        seconds: of the training alone; the networks were there before.
        losses: of every step, by member.
        note: what else there is to say.
        drawing: seconds of these until all sequences were there, where that is a phase of its own.
    """

    seconds: float
    losses: list[list[float]]
    note: str = ""
    drawing: float = 0.0


Job = Callable[[Shape, int, Sequence[int]], Trained]
"""Trains a shape so many steps from each of the seeds."""


def ours(shape: Shape, steps: int, seeds: Sequence[int]) -> Trained:
    """RGLab as a worker trains on a core: in fleets where they pay, else one after another."""
    return fleets(shape, steps, seeds, fleet_size(shape))


def fleet_size(shape: Shape) -> int:
    """K that a worker chooses on a core."""
    problem = shape.problem(1)
    return choose_fleet_size(
        problem.arch,
        batch_size=problem.plan.batch_size,
        mask_prob=problem.plan.mask_prob,
        device="cpu",
        memory=MEMORY,
    )


def fleets(
    shape: Shape, steps: int, seeds: Sequence[int], size: int, backend: Backend | None = None
) -> Trained:
    """RGLab in fleets of at most so many, one after another; None for torch."""
    problem = shape.problem(steps)
    members = [Member(problem.network(seed), problem.chain, problem.plan, seed) for seed in seeds]
    begin = time.perf_counter()
    found = [
        trace
        for first in range(0, len(members), size)
        for trace in train_fleet(
            members[first : first + size], seq_len=shape.seq_len, backend=backend
        )
    ]
    seconds = time.perf_counter() - begin
    return Trained(seconds, [_losses(trace) for trace in found])


def _losses(trace: TrainingTrace | DivergedError | None) -> list[float]:
    if not isinstance(trace, TrainingTrace):
        raise RefusedError(f"a member has no losses: {trace}")
    losses: list[float] = trace.losses.tolist()
    return losses


def solo(shape: Shape, steps: int, seeds: Sequence[int]) -> Trained:
    """RGLab's training loop, one network after another."""
    problem = shape.problem(steps)
    networks = [problem.network(seed) for seed in seeds]
    begin = time.perf_counter()
    traces = [
        train(network, problem.chain, problem.plan, seed, seq_len=shape.seq_len)
        for network, seed in zip(networks, seeds, strict=True)
    ]
    seconds = time.perf_counter() - begin
    return Trained(seconds, [trace.losses.tolist() for trace in traces])


def masked(shape: Shape, steps: int, seeds: Sequence[int]) -> Trained:
    """PyTorch's best, one network after another."""
    return _loop(masked_loop, shape, steps, seeds)


def plain(shape: Shape, steps: int, seeds: Sequence[int]) -> Trained:
    """PyTorch as it comes to mind, one network after another."""
    return _loop(plain_loop, shape, steps, seeds)


def gemms(shape: Shape, steps: int, seeds: Sequence[int]) -> Trained:
    """The matrix products of as many steps and nothing else; no losses."""
    contender = products(shape.problem(steps), steps * len(seeds))
    return Trained(contender() * steps * len(seeds), [])


def _loop(loop: Loop, shape: Shape, steps: int, seeds: Sequence[int]) -> Trained:
    problem = shape.problem(steps)
    networks = [PeerNetwork(problem.network(seed)) for seed in seeds]
    begin = time.perf_counter()
    losses = [loop(net, problem, seed) for net, seed in zip(networks, seeds, strict=True)]
    return Trained(time.perf_counter() - begin, losses)

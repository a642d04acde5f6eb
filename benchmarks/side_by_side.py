"""One network per core: RGLab's trainers beside PyTorch's best, and beside one run after another.

A trainer is given whole jobs: it measures before and after it trains. What a job costs is the time
until the last member is done, less that of a job of one step; the same is taken off its peers.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from benchmarks.ceilings import products
from benchmarks.effort import Effort
from benchmarks.gate import same_losses, thinned
from benchmarks.member import Member
from benchmarks.peer_loops import plain_loop
from benchmarks.peer_network import PeerNetwork
from benchmarks.race import MEMBER_STEP, Race, RefusedError
from benchmarks.shapes import Shape
from benchmarks.timing import Contender, interleave, threads
from benchmarks.training_race import PRODUCTS
from rgworker.process import Trainer
from rgworker.protocol import Broken, Finished, Job

NAME = "train, every core"
BEST = "PyTorch, masked rows, fused AdamW, a process per core"
PLAIN = "plain PyTorch loop, one run after another"
SILENCE_SECONDS = 600.0
OVERHEAD_TIMES = 3
MOST_POINTS = 200
"""Of a loss curve that a trainer hands over."""

Losses = list[list[float]]

Train = Callable[[int], Losses]
"""Trains every member so many steps; their loss curves."""


def race(shape: Shape, effort: Effort) -> list[Race]:
    """RGLab's trainers beside both peers, on all cores.

    Raises:
        RefusedError: the loss curves differ, or a trainer could not do its job.
    """
    steps = effort.member_steps[shape.name]
    cores = os.cpu_count() or 1
    with _trainers(shape, cores) as ours, _members(shape, cores) as best:
        interval = -(-steps // MOST_POINTS)
        check = same_losses(
            np.concatenate(ours(steps)),
            np.concatenate([thinned(losses, interval) for losses in best(steps)]),
        )
        found = interleave(
            {
                "ours": _per_step(ours, steps, cores),
                "best": _per_step(best, steps, cores),
                "plain": _per_step(_in_turn(shape, cores), _fewer(steps), cores),
                "ceiling": _on_one_thread(products(shape.problem(steps), times=10)),
            },
            effort.rounds,
        )
    peers = {"best": (BEST, check), "plain": (PLAIN, "as on one core")}
    return [
        Race(
            name=NAME,
            shape=str(shape),
            members=cores,
            cores=cores,
            unit=MEMBER_STEP,
            peer=peer,
            ours=found["ours"],
            theirs=found[key],
            ceiling=found["ceiling"],
            bound=PRODUCTS,
            check=agreement,
        )
        for key, (peer, agreement) in peers.items()
    ]


def _per_step(train: Train, steps: int, members: int) -> Contender:
    """Seconds per step and member, less what a job of one step takes."""

    def seconds(steps: int) -> float:
        begin = time.perf_counter()
        train(steps)
        return time.perf_counter() - begin

    train(1)
    overhead = statistics.median(seconds(1) for _ in range(OVERHEAD_TIMES))
    return lambda: (seconds(steps) - overhead) / ((steps - 1) * members)


def _fewer(steps: int) -> int:
    """Enough steps of a contender that is many times slower."""
    return max(2, steps // 16)


def _on_one_thread(contender: Contender) -> Contender:
    def once() -> float:
        with threads(1):
            return contender()

    return once


def _in_turn(shape: Shape, members: int) -> Train:
    """The plain loop on all cores."""

    def train(steps: int) -> Losses:
        problem = shape.problem(steps)
        networks = [PeerNetwork(problem.network(seed)) for seed in range(members)]
        with threads(members):
            return [plain_loop(network, problem, seed) for seed, network in enumerate(networks)]

    return train


@contextmanager
def _members(shape: Shape, n: int) -> Iterator[Train]:
    """PyTorch's best, in n processes."""
    with ExitStack() as stack, ThreadPoolExecutor(n) as pool:
        members = [stack.enter_context(Member()) for _ in range(n)]

        def train(steps: int) -> Losses:
            return list(pool.map(lambda at: members[at].train((shape.name, steps, at)), range(n)))

        yield train


@contextmanager
def _trainers(shape: Shape, n: int) -> Iterator[Train]:
    """RGLab's trainers, as a worker runs them."""
    trainers: list[Trainer] = []
    try:
        trainers += [Trainer("cpu") for _ in range(n)]
        with ThreadPoolExecutor(n) as pool:

            def train(steps: int) -> Losses:
                body = shape.body(steps)
                return list(pool.map(lambda at: _job(trainers[at], body, at), range(n)))

            yield train
    finally:
        for trainer in trainers:
            trainer.kill()


def _job(trainer: Trainer, body: dict[str, Any], seed: int) -> list[float]:
    trainer.start(Job(spec=body, chain_seed=0, seed=seed, training=None))
    while True:
        event = trainer.listen(SILENCE_SECONDS)
        if isinstance(event, Finished):
            return event.record.training.curve_losses
        if event is None or isinstance(event, Broken):
            raise RefusedError(f"a trainer failed: {event.error if event else 'silence'}")

"""One network on one core: RGLab beside the plain loop."""

from __future__ import annotations

import time

import numpy as np

from benchmarks.ceilings import products
from benchmarks.effort import Effort
from benchmarks.gate import same_losses
from benchmarks.peer_loops import Loop, plain_loop
from benchmarks.peer_network import PeerNetwork
from benchmarks.race import STEP, Race
from benchmarks.shapes import Problem, Shape
from benchmarks.timing import Contender, interleave, threads
from rgcore.training import train

NAME = "train, one core"
PEER = "plain PyTorch loop"
SEED = 0
PRODUCTS = "GEMMs of the step"


def race(shape: Shape, effort: Effort) -> list[Race]:
    """RGLab's training loop beside the plain one.

    Raises:
        RefusedError: the loss curves differ.
    """
    problem = shape.problem(effort.steps[shape.name])
    with threads(1):
        check = same_losses(_our_losses(problem), _their_losses(problem, plain_loop))
        found = interleave(
            {
                "ours": _ours(problem),
                "theirs": _theirs(problem, plain_loop),
                "ceiling": products(problem, problem.plan.steps),
            },
            effort.rounds,
        )
    return [
        Race(
            name=NAME,
            shape=str(shape),
            members=1,
            cores=1,
            unit=STEP,
            peer=PEER,
            ours=found["ours"],
            theirs=found["theirs"],
            ceiling=found["ceiling"],
            bound=PRODUCTS,
            check=check,
        )
    ]


def _our_losses(problem: Problem) -> list[float]:
    trace = train(
        problem.network(SEED), problem.chain, problem.plan, SEED, seq_len=problem.arch.seq_len
    )
    assert np.array_equal(trace.steps, np.arange(1, problem.plan.steps + 1))  # none is a mean
    return [float(loss) for loss in trace.losses]


def _their_losses(problem: Problem, loop: Loop) -> list[float]:
    return loop(PeerNetwork(problem.network(SEED)), problem, SEED)


def _ours(problem: Problem) -> Contender:
    def once() -> float:
        network = problem.network(SEED)
        begin = time.perf_counter()
        train(network, problem.chain, problem.plan, SEED, seq_len=problem.arch.seq_len)
        return (time.perf_counter() - begin) / problem.plan.steps

    return once


def _theirs(problem: Problem, loop: Loop) -> Contender:
    def once() -> float:
        network = PeerNetwork(problem.network(SEED))
        begin = time.perf_counter()
        loop(network, problem, SEED)
        return (time.perf_counter() - begin) / problem.plan.steps

    return once

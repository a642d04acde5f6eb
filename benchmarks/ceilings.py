"""What the machine can do at best, measured with one call at a time on one thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from benchmarks.race import Unit
from benchmarks.shapes import Problem, Shape
from benchmarks.timing import Contender, Timing, interleave, repeated, threads

FLOPS = Unit("GF/s", 1e-9, rate=True)
BYTES = Unit("GB/s", 1e-9, rate=True)
NUMBERS = Unit("M numbers/s", 1e-6, rate=True)

SQUARE = 2048
COPIED = 2**25
DRAWN = 2**20
BATCHED = 8


@dataclass(frozen=True)
class Ceiling:
    """A rate that the machine does not go beyond.

    Attributes:
        name: of what.
        unit: of the costs.
        timing: what it cost.
    """

    name: str
    unit: Unit
    timing: Timing


def ceilings(shapes: Sequence[Shape], rounds: int) -> list[Ceiling]:
    """What bounds every race: matrix products, memory, random numbers."""
    problems = {shape: shape.problem(1) for shape in shapes}
    with threads(1):
        found = interleave(
            {
                "square": _square(),
                "copy": _copy(),
                "random": random_numbers(DRAWN),
                **{str(shape): products(problem, 5) for shape, problem in problems.items()},
                **{f"batched {shape}": batched(of) for shape, of in problems.items()},
            },
            rounds,
        )
    return [
        Ceiling(f"SGEMM, {SQUARE} x {SQUARE}", FLOPS, found["square"]),
        *(
            Ceiling(
                f"SGEMM, {problem.masked_rows} rows, shapes of a step of {shape.name}",
                Unit("GF/s", 1e-9 * product_flops(problem), rate=True),
                found[str(shape)],
            )
            for shape, problem in problems.items()
        ),
        *(
            Ceiling(
                f"SGEMM, batch of {BATCHED} networks, W1 of {shape.name}",
                FLOPS,
                found[f"batched {shape}"],
            )
            for shape in problems
        ),
        Ceiling("memory, read and write of a copy", BYTES, found["copy"]),
        Ceiling("uniform float64 random numbers", NUMBERS, found["random"]),
    ]


def _square() -> Contender:
    a, b, out = (torch.rand(SQUARE, SQUARE) for _ in range(3))
    return repeated(lambda: torch.mm(a, b, out=out), units=2 * SQUARE**3)


def _copy() -> Contender:
    source, target = torch.rand(COPIED), torch.empty(COPIED)
    return repeated(lambda: target.copy_(source), units=2 * 4 * COPIED, times=3)


def batched(problem: Problem) -> Contender:
    """Seconds per operation of one batched product: W1 of several networks, masked rows of each."""
    arch, rows = problem.arch, problem.masked_rows
    streams, weights = (
        torch.rand(BATCHED, rows, arch.width),
        torch.rand(BATCHED, arch.width, arch.hidden),
    )
    out = torch.empty(BATCHED, rows, arch.hidden)
    units = 2 * BATCHED * rows * arch.width * arch.hidden
    return repeated(lambda: torch.bmm(streams, weights, out=out), units=units, times=3)


def random_numbers(n: int) -> Contender:
    """Seconds per uniform float64 number, drawn n at a time."""
    generator = torch.Generator().manual_seed(0)
    return repeated(
        lambda: torch.rand(n, dtype=torch.float64, generator=generator), units=n, times=5
    )


def products(problem: Problem, times: int) -> Contender:
    """Seconds that the matrix products of one training step take alone.

    Those of the blocks and the read-out, forward and backward, at the masked rows of a batch.
    """
    calls = _calls(problem)

    def all_of_them() -> None:
        for call in calls:
            call()

    return repeated(all_of_them, times=times)


def product_flops(problem: Problem) -> int:
    """Floating-point operations of `products`."""
    arch = problem.arch
    weights = 2 * arch.depth * arch.width * arch.hidden + arch.width * arch.n_states
    return 3 * 2 * problem.masked_rows * weights


def _calls(problem: Problem) -> list[Callable[[], Tensor]]:
    arch, rows = problem.arch, problem.masked_rows
    narrow, wide = torch.rand(rows, arch.width), torch.rand(rows, arch.hidden)
    logits = torch.rand(rows, arch.n_states)
    found = []
    for _ in range(arch.depth):  # each with weights of its own, as in the network
        found += _linear(narrow, torch.rand(arch.hidden, arch.width), wide)
        found += _linear(wide, torch.rand(arch.width, arch.hidden), narrow)
    return found + _linear(narrow, torch.rand(arch.n_states, arch.width), logits)


def _linear(x: Tensor, weight: Tensor, y: Tensor) -> list[Callable[[], Tensor]]:
    """The three products of a linear map: its output, and the gradients of both its inputs."""
    out, of_x, of_weight = torch.empty_like(y), torch.empty_like(x), torch.empty_like(weight)
    return [
        lambda: torch.mm(x, weight.T, out=out),
        lambda: torch.mm(y, weight, out=of_x),
        lambda: torch.mm(y.T, x, out=of_weight),
    ]

"""Costs measured in turns, so that whatever else the machine does meets every contender alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch

Contender = Callable[[], float]
"""Does its work once and returns what a unit of it cost, in seconds."""


@dataclass(frozen=True)
class Timing:
    """What a unit of work cost, round by round.

    Attributes:
        costs: seconds per unit, in the order measured; at least one.
    """

    costs: tuple[float, ...]

    @property
    def median(self) -> float:
        """Seconds per unit."""
        return statistics.median(self.costs)

    @property
    def least(self) -> float:
        """Seconds per unit, in the best round."""
        return min(self.costs)

    @property
    def most(self) -> float:
        """Seconds per unit, in the worst round."""
        return max(self.costs)


def interleave(
    contenders: Mapping[str, Contender],
    rounds: int,
    *,
    warm: bool = False,
    enough: Callable[[], bool] = lambda: False,
) -> dict[str, Timing]:
    """Measure every contender once in each round.

    One more round goes before and does not count: it loads caches and compiles. Every other round
    runs backwards, so that none is always the first.

    Args:
        contenders: by name.
        rounds: that count.
        warm: whether each has done the same work just before, which stands for that round.
        enough: asked after every round that counts whether it shall be the last.
    """
    names = list(contenders)
    costs: dict[str, list[float]] = {name: [] for name in names}
    for number in range(1 if warm else 0, rounds + 1):
        for name in names if number % 2 == 0 else reversed(names):
            cost = contenders[name]()
            if number > 0:
                costs[name].append(cost)
        if number > 0 and enough():
            break
    return {name: Timing(tuple(found)) for name, found in costs.items()}


def repeated(work: Callable[[], object], *, units: float = 1.0, times: int = 1) -> Contender:
    """The contender that calls `work` some times in a row, each worth so many units."""

    def once() -> float:
        begin = time.perf_counter()
        for _ in range(times):
            work()
        return (time.perf_counter() - begin) / (times * units)

    return once


@contextmanager
def threads(n: int) -> Iterator[None]:
    """Torch on n threads, denormals flushed as trainers do."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        torch.set_flush_denormal(False)

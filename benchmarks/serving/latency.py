"""How long answers take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

WARM_UP = 3


@dataclass(frozen=True)
class Latency:
    """Answers of one kind.

    Attributes:
        name: what was asked.
        seconds: of each answer.
        percentile: that the aim is on.
        aim: seconds; None if there is none.
    """

    name: str
    seconds: tuple[float, ...]
    percentile: int = 95
    aim: float | None = None

    def at(self, percentile: float) -> float:
        """Seconds within which so many per cent were answered."""
        return float(np.percentile(self.seconds, percentile))

    @property
    def met(self) -> bool | None:
        """Whether the aim is met; None if there is none."""
        return None if self.aim is None else self.at(self.percentile) <= self.aim


def timed(ask: Callable[[], object], n: int) -> tuple[float, ...]:
    """Seconds of so many calls, after a few that do not count."""
    return each(ask for _ in range(n + WARM_UP))[WARM_UP:]


def each(calls: Iterable[Callable[[], object]]) -> tuple[float, ...]:
    """Seconds of each call."""
    found = []
    for call in calls:
        begin = time.perf_counter()
        call()
        found.append(time.perf_counter() - begin)
    return tuple(found)

"""The learning rate as a function of the step alone, so that resuming needs no state."""

from __future__ import annotations

import math
from collections.abc import Callable

WARM_UP = 0.3
"""Share of the steps over which one_cycle rises."""
START = 1 / 25
"""Where one_cycle begins, relative to its peak."""


def _fall(done: float) -> float:
    """Half a cosine, from 1 at 0 to 0 at 1."""
    return (1 + math.cos(math.pi * done)) / 2


def _one_cycle(done: float) -> float:
    if done < WARM_UP:
        return 1 - (1 - START) * _fall(done / WARM_UP)
    return _fall((done - WARM_UP) / (1 - WARM_UP))


SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda _: 1.0,
    "cosine": _fall,
    "one_cycle": _one_cycle,
}
"""Name -> the share of the peak, of the share of the steps that are done."""


def learning_rate(schedule: str, step: int, steps: int, peak: float) -> float:
    """Learning rate of one step.

    - constant: the peak.
    - cosine: peak * (1 + cos(pi step / steps)) / 2, from the peak to almost zero.
    - one_cycle: up from peak / 25 along a half cosine over the first 0.3 of the steps, then down
      to almost zero along another (Smith & Topin 2017).

    Args:
        schedule: its name, of `SCHEDULES`.
        step: 0 for the first, steps - 1 for the last.
        steps: of the whole training.
        peak: the largest learning rate.

    Example:
        >>> [round(learning_rate("one_cycle", step, 100, 0.01), 6) for step in (0, 30, 65)]
        [0.0004, 0.01, 0.005]
    """
    return peak * SCHEDULES[schedule](step / steps)

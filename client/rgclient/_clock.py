"""Time and chance, in one place so that a test can put its own there."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass


def _jitter(longest: float) -> float:
    return random.uniform(0, longest)  # noqa: S311 - spreads load, keeps no secret


@dataclass(frozen=True)
class Clock:
    """How to sleep, what time it is, and how long to wait at random."""

    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic
    """Seconds since any fixed moment."""
    jitter: Callable[[float], float] = _jitter
    """A random delay between 0 and its argument, seconds."""

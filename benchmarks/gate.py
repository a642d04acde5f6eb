"""Whether two contenders did the same work: without that, no time counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from benchmarks.race import RefusedError

SAME_LOSS = 1e-2
"""Largest difference of two loss curves, as a part of the loss. Both are float32 and add up in
different orders; training enlarges what that leaves, to about 1e-3 over a few hundred steps. Other
data, another seed or another optimizer differ by more than 1e-1 within a few steps."""


def same_losses(ours: ArrayLike, theirs: ArrayLike) -> str:
    """How closely two loss curves agree, in words.

    Args:
        ours: (k,), in nats.
        theirs: (k,), at the same steps.

    Raises:
        RefusedError: they differ by more than `SAME_LOSS`.
    """
    first, second = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    if first.shape != second.shape:
        raise RefusedError(f"{first.size} losses against {second.size}")
    worst = float(np.max(np.abs(first - second) / first))
    if not worst <= SAME_LOSS:
        raise RefusedError(f"loss curves differ by {worst:.0e} of the loss")
    return f"losses within {worst:.0e}"


def same_numbers(found: ArrayLike, exact: ArrayLike, tolerance: float, what: str) -> float:
    """The largest absolute difference.

    Raises:
        RefusedError: it is above the tolerance, or not a number.
    """
    worst = float(np.max(np.abs(np.asarray(found, dtype=float) - np.asarray(exact, dtype=float))))
    if not worst <= tolerance:
        raise RefusedError(f"{what} is off by {worst:.0e}; allowed: {tolerance:.0e}")
    return worst


def thinned(losses: Sequence[float], interval: int) -> list[float]:
    """Means over each so many steps and over what is left, as a `TrainingTrace` has them."""
    parts = [losses[begin : begin + interval] for begin in range(0, len(losses), interval)]
    return [sum(part) / len(part) for part in parts]

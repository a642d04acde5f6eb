"""Telling a layer that does not vary from the rounding of its activations."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

STEPS = 8
"""Roundings to which equal rows may come out different: the order of sums varies within a batch."""


def does_not_vary(variance: ArrayLike, mean2: ArrayLike, precision: float) -> NDArray[np.bool_]:
    """Whether what varies is no more than rounding; False where it is not finite.

    Args:
        variance: mean |x - mean|^2, any shape.
        mean2: |mean|^2, of the same shape.
        precision: epsilon of the arithmetic that the activations were computed in.
    """
    return np.asarray(np.asarray(variance) <= (STEPS * precision) ** 2 * np.asarray(mean2))

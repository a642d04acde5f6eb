"""How far a number of one device may lie from that of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from rgcore.measurement import LevelMeasurement, Measurement

LOSS = {torch.float32: 1e-3, torch.float64: 1e-9}
"""Of a training loss, over the loss: other orders of sums, enlarged step by step."""
OBSERVABLE = {torch.float32: 1e-5, torch.float64: 1e-9}
"""Of an observable x, over 1 + |x|: a hundred times what other orders of sums leave on a CPU."""
OF_A_ROOT = {torch.float32: 1e-3, torch.float64: 1e-6}
"""Of one that has a root or an arc cosine in it, which turns 1e-14 near zero into 1e-7.

The effective rank of a layer with fewer directions than its width is among them: eigenvalues that
are zero but for rounding count by their roots where they pass the floor of the noise.
"""
ROOTS = (
    "effective_rank",
    "effective_rank_by_position",
    "frobenius_drift",
    "procrustes_distance",
    "subspace_angle",
)
LOSSES = "loss"


@dataclass(frozen=True)
class Apart:
    """The largest difference of a quantity over all places where it is measured.

    Attributes:
        worst: |x - y| / (1 + |y|); infinite where a number exists on one side alone.
        where: level at which it is so.
        tolerance: what is allowed.
    """

    worst: float
    where: str
    tolerance: float

    @property
    def agree(self) -> bool:
        """Whether it is within tolerance."""
        return self.worst <= self.tolerance


def tolerance_of(quantity: str, dtype: torch.dtype) -> float:
    """What is allowed for a quantity of networks of this precision."""
    return (OF_A_ROOT if quantity in ROOTS else OBSERVABLE)[dtype]


def compared(found: Measurement, exact: Measurement, dtype: torch.dtype) -> dict[str, Apart]:
    """Every quantity of a measurement beside another's, by name, and the `loss`."""
    worst: dict[str, Apart] = {}

    def note(quantity: str, where: str, distance: float) -> None:
        known = worst.get(quantity)
        if known is None or not distance <= known.worst:
            worst[quantity] = Apart(distance, where, tolerance_of(quantity, dtype))

    note(LOSSES, "network", abs(found.loss - exact.loss) / (1 + abs(exact.loss)))
    for level, (one, other) in _levels(found, exact).items():
        for arrays, others in ((one.arrays, other.arrays), (one.half, other.half)):
            for quantity, distance in _distances(arrays, others).items():
                note(quantity, level, distance)
    return worst


def _levels(
    found: Measurement, exact: Measurement
) -> dict[str, tuple[LevelMeasurement, LevelMeasurement]]:
    at = {name: (found.levels[name], exact.levels[name]) for name in exact.levels}
    return at | {"network": (found.network, exact.network)}


def _distances(
    found: Mapping[str, NDArray[np.float64]], exact: Mapping[str, NDArray[np.float64]]
) -> dict[str, float]:
    return {name: distance(found[name], exact[name]) for name in exact}


def distance(found: NDArray[np.float64], exact: NDArray[np.float64]) -> float:
    """Largest |x - y| / (1 + |y|); infinite where one of the two is not a number."""
    here, there = np.isnan(found), np.isnan(exact)
    if not np.array_equal(here, there):
        return float("inf")
    apart = np.abs(found - exact) / (1 + np.abs(exact))
    return float(apart[~there].max(initial=0.0))

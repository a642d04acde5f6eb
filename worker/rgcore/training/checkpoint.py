"""All that a training run needs to go on as if it had never stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from rgcore.training.data import StreamState
from rgcore.training.plan import TrainingPlan


@dataclass(frozen=True, eq=False)
class TrainingCheckpoint:
    """A training run between two steps; copies, so later steps do not touch it.

    Attributes:
        step: steps done.
        seed: of the run.
        plan: of the run.
        weights: the network's `state_dict`.
        optimizer: the optimizer's `state_dict`.
        data: where the data stream stands.
        points: the trace so far: (steps done, mean loss).
        window: losses since its last point.
    """

    step: int
    seed: int
    plan: TrainingPlan
    weights: dict[str, Tensor]
    optimizer: dict[str, Any]
    data: StreamState
    points: list[tuple[int, float]]
    window: list[float]

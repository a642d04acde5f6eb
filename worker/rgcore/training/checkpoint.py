"""All that a training run needs to go on exactly as if it had not stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor


@dataclass(frozen=True, eq=False)
class TrainingCheckpoint:
    """The state after a step; plain tensors and numbers, for `torch.save`."""

    step: int
    network: dict[str, Tensor]
    optimizer: dict[str, Any]
    schedule: dict[str, Any]
    generator: Tensor
    """State of the data stream."""
    trace_steps: list[int]
    trace_losses: list[float]
    pending: Tensor
    """Sum of the losses since the last point of the trace."""

"""The training loss as it goes, thinned to a few hundred points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

MOST_POINTS = 200


class DivergedError(ArithmeticError):
    """The training loss is no longer finite.

    Attributes:
        step: the first step, counted from 1, with such a loss.
        loss: the loss there: inf or nan.
    """

    def __init__(self, step: int, loss: float) -> None:
        super().__init__(step, loss)  # both, so that it survives pickling
        self.step = step
        self.loss = loss

    def __str__(self) -> str:
        return f"the training loss is {self.loss} at step {self.step}"


@dataclass(frozen=True, eq=False)
class TrainingTrace:
    """The training loss over a run, at most 200 points.

    Attributes:
        steps: (k,) int64, steps done, the last is all of them.
        losses: (k,) mean loss in nats over the steps since the point before.
    """

    steps: NDArray[np.int64]
    losses: NDArray[np.float64]


class LossRecorder:
    """Collects the loss of every step; reads the device only when asked to.

    Attributes:
        interval: steps between two points of the trace.
        window: losses of the steps since the last point.
        points: (steps done, mean loss), the trace so far.
    """

    def __init__(self, steps: int) -> None:
        self.interval = -(-steps // MOST_POINTS)
        self.steps = steps
        self.step = 0
        self.window: list[float] = []
        self.points: list[tuple[int, float]] = []
        self._pending: list[Tensor] = []
        self._since_report: list[float] = []

    def add(self, loss: Tensor) -> None:
        """Note the loss of the next step, a scalar on any device.

        Raises:
            DivergedError: the loss of this step, or of one not yet looked at, is not finite.
        """
        self._pending.append(loss.detach())
        self.step += 1
        if self.step % self.interval == 0 or self.step == self.steps:
            self.flush()
            self.points.append((self.step, sum(self.window) / len(self.window)))
            self.window = []

    def flush(self) -> None:
        """Read the losses still on the device.

        Raises:
            DivergedError: one of them is not finite.
        """
        if not self._pending:
            return
        losses = torch.stack(self._pending).double().tolist()
        first = self.step - len(losses) + 1
        self._pending = []
        for step, loss in enumerate(losses, first):
            if not np.isfinite(loss):
                raise DivergedError(step, loss)
        self.window += losses
        self._since_report += losses

    def recent(self) -> float:
        """Mean loss since the last call.

        Raises:
            DivergedError: one of those losses is not finite.
        """
        self.flush()
        recent = sum(self._since_report) / len(self._since_report)
        self._since_report = []
        return recent

    def trace(self) -> TrainingTrace:
        """The points so far."""
        return TrainingTrace(
            steps=np.array([step for step, _ in self.points], dtype=np.int64),
            losses=np.array([loss for _, loss in self.points], dtype=np.float64),
        )

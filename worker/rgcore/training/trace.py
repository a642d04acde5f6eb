"""The training loss as it goes, thinned to a few hundred points."""

from __future__ import annotations

import math
from collections.abc import Sequence
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
        read_steps: steps whose loss has been looked at.
        window: losses of the steps since the last point.
        points: (steps done, mean loss), the trace so far.
    """

    def __init__(self, steps: int) -> None:
        self.interval = -(-steps // MOST_POINTS)
        self.steps = steps
        self.read_steps = 0
        self.window: list[float] = []
        self.points: list[tuple[int, float]] = []
        self._pending: list[Tensor] = []
        self._since_report: list[float] = []

    @property
    def step(self) -> int:
        """Steps done."""
        return self.read_steps + len(self._pending)

    def add(self, loss: Tensor) -> None:
        """Note the loss of the next step, a scalar on any device.

        Raises:
            DivergedError: the loss of this step, or of one not yet looked at, is not finite.
        """
        self._pending.append(loss.detach())
        if self.step % self.interval == 0 or self.step == self.steps:
            self.flush()

    def flush(self) -> None:
        """Read the losses still on the device.

        Raises:
            DivergedError: one of them is not finite.
        """
        if not self._pending:
            return
        losses = torch.stack(self._pending).double().tolist()
        self._pending = []
        self.read(losses)

    def read(self, losses: Sequence[float]) -> None:
        """Note the losses of the next steps, read by the caller.

        Raises:
            DivergedError: one of them is not finite.
        """
        for loss in losses:
            self.read_steps += 1
            if not math.isfinite(loss):
                raise DivergedError(self.read_steps, loss)
            self.window.append(loss)
            self._since_report.append(loss)
            if self.read_steps % self.interval == 0 or self.read_steps == self.steps:
                self.points.append((self.read_steps, sum(self.window) / len(self.window)))
                self.window = []

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

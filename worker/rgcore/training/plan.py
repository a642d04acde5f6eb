"""A training budget: how many steps of what."""

from __future__ import annotations

from dataclasses import dataclass

from rgcore.errors import ParameterError
from rgcore.training.rules import OPTIMIZERS
from rgcore.training.schedule import SCHEDULES


class PlanError(ParameterError):
    """No such training: a choice that does not exist or a number out of range."""


@dataclass(frozen=True)
class TrainingPlan:
    """How a network is trained.

    Attributes:
        steps: optimizer steps.
        batch_size: sequences per step.
        mask_prob: probability that a token is hidden, independently for each.
        optimizer: adamw (decoupled decay), adam or sgd (decay added to the gradient).
        lr: peak learning rate.
        schedule: constant, cosine or one_cycle, see `learning_rate`.
        weight_decay: of matrices; biases and norm gains do not decay.
        grad_clip: largest norm of the whole gradient; None for no bound.
        momentum: of sgd.

    Raises:
        PlanError: a choice that does not exist or a number out of range.
    """

    steps: int
    batch_size: int
    mask_prob: float
    optimizer: str
    lr: float
    schedule: str
    weight_decay: float
    grad_clip: float | None
    momentum: float = 0.9

    def __post_init__(self) -> None:
        choices = {"optimizer": tuple(OPTIMIZERS), "schedule": tuple(SCHEDULES)}
        for field, allowed in choices.items():
            if getattr(self, field) not in allowed:
                raise PlanError(field, getattr(self, field), ", ".join(allowed))
        for field in ("steps", "batch_size"):
            if getattr(self, field) < 1:
                raise PlanError(field, getattr(self, field), "1 or more")
        if not 0 < self.mask_prob <= 1:
            raise PlanError("mask_prob", self.mask_prob, "above 0, at most 1")
        if not self.lr > 0:
            raise PlanError("lr", self.lr, "above 0")
        if not self.weight_decay >= 0:
            raise PlanError("weight_decay", self.weight_decay, "0 or more")
        if self.grad_clip is not None and not self.grad_clip > 0:
            raise PlanError("grad_clip", self.grad_clip, "above 0, or None")
        if not 0 <= self.momentum < 1:
            raise PlanError("momentum", self.momentum, "0 or more, below 1")

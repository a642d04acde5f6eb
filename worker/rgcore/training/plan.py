"""The training budget, and the optimizer and schedule it names."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import nn, optim
from torch.optim.lr_scheduler import LambdaLR

ONE_CYCLE_WARM_UP = 0.3  # share of the steps, Smith & Topin 2017
ONE_CYCLE_START = 1 / 25


@dataclass(frozen=True)
class TrainingPlan:
    """How to train."""

    steps: int
    batch_size: int
    """Sequences per step."""
    mask_prob: float
    optimizer: str
    """`adamw`, `adam` or `sgd`."""
    lr: float
    """Peak learning rate."""
    schedule: str
    """`constant`, `cosine` or `one_cycle`."""
    weight_decay: float
    """Of matrices; biases and norms do not decay."""
    grad_clip: float | None
    """Largest norm of the gradient."""
    momentum: float = 0.9
    """Of sgd."""


def make_optimizer(network: nn.Module, plan: TrainingPlan) -> optim.Optimizer:
    """The optimizer of a plan on the parameters of a network."""
    parameters = list(network.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": plan.weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    if plan.optimizer == "adamw":
        return optim.AdamW(groups, lr=plan.lr, fused=True)
    if plan.optimizer == "adam":
        return optim.Adam(groups, lr=plan.lr, fused=True)
    if plan.optimizer == "sgd":
        return optim.SGD(groups, lr=plan.lr, momentum=plan.momentum)
    raise ValueError(f"optimizer = {plan.optimizer!r}; allowed: adamw, adam, sgd")


def make_schedule(optimizer: optim.Optimizer, plan: TrainingPlan) -> LambdaLR:
    """The learning rate over the steps, as a factor of its peak."""
    factors: dict[str, Callable[[int], float]] = {
        "constant": lambda _: 1.0,
        "cosine": lambda step: _cosine(step / plan.steps),
        "one_cycle": lambda step: _one_cycle(step / plan.steps),
    }
    if plan.schedule not in factors:
        raise ValueError(f"schedule = {plan.schedule!r}; allowed: {', '.join(factors)}")
    return LambdaLR(optimizer, factors[plan.schedule])


def _cosine(part: float) -> float:
    return 0.5 * (1.0 + math.cos(math.pi * min(part, 1.0)))


def _one_cycle(part: float) -> float:
    if part < ONE_CYCLE_WARM_UP:
        rise = 1.0 - _cosine(part / ONE_CYCLE_WARM_UP)
        return ONE_CYCLE_START + (1.0 - ONE_CYCLE_START) * rise
    return _cosine((part - ONE_CYCLE_WARM_UP) / (1.0 - ONE_CYCLE_WARM_UP))

"""The update rules: one row for each, by which a network by itself and a fleet are trained alike.

A new optimizer is a row here; its name is what a plan says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, optim

BETAS = (0.9, 0.999)
ADAM_EPS = 1e-8
CLIP_EPS = 1e-6
"""Keeps the division by the norm of a gradient finite, as `clip_grad_norm_` does."""


def clipped_by(norm: Tensor, bound: float | Tensor) -> Tensor:
    """The factor that brings a gradient of this norm down to the bound; 1 for one below it."""
    return (bound / (norm + CLIP_EPS)).clamp(max=1.0)


@dataclass(frozen=True, eq=False)
class Step:
    """What a rule moves the weights of K networks by; gradients have their decay and clipping.

    Attributes:
        weights: (K, P), changed in place.
        gradient: (K, P), overwritten.
        memory: (K, P) each, what the rule keeps from step to step; 0 at first.
        rate: (K, 1), learning rates.
        momentum: of the plan.
        number: 1 for the first step.
    """

    weights: Tensor
    gradient: Tensor
    memory: list[Tensor]
    rate: Tensor
    momentum: float
    number: int


@dataclass(frozen=True)
class Rule:
    """An update rule.

    Attributes:
        fused: of groups of parameters, a learning rate and a momentum to torch's rule, in its fused
            kernels.
        move: one step of a fleet, to the same numbers but for rounding.
        remembers: arrays of the size of the weights that `move` keeps.
        decay_apart: whether the weights decay by themselves, and not through the gradient.
    """

    fused: Callable[[list[dict[str, Any]], float, float], optim.Optimizer]
    move: Callable[[Step], None]
    remembers: int
    decay_apart: bool = False


def _adam(step: Step) -> None:
    """Along the mean gradient over the root of its mean square, both unbiased."""
    mean, square = step.memory
    mean.lerp_(step.gradient, 1 - BETAS[0])
    square.mul_(BETAS[1]).addcmul_(step.gradient, step.gradient, value=1 - BETAS[1])
    unbias_mean, unbias_square = (1 - beta**step.number for beta in BETAS)
    size = torch.sqrt(square, out=step.gradient)
    size.div_(unbias_square**0.5).add_(ADAM_EPS)
    direction = torch.div(mean, size, out=size)
    step.weights.addcmul_(direction, step.rate, value=-1 / unbias_mean)


def _heavy_ball(step: Step) -> None:
    """Along a decaying sum of the gradients."""
    (velocity,) = step.memory
    velocity.mul_(step.momentum).add_(step.gradient)
    step.weights.addcmul_(velocity, step.rate, value=-1.0)


OPTIMIZERS: dict[str, Rule] = {
    "adam": Rule(
        lambda groups, lr, _: optim.Adam(groups, lr=lr, betas=BETAS, eps=ADAM_EPS, fused=True),
        _adam,
        remembers=2,
    ),
    "adamw": Rule(
        lambda groups, lr, _: optim.AdamW(groups, lr=lr, betas=BETAS, eps=ADAM_EPS, fused=True),
        _adam,
        remembers=2,
        decay_apart=True,
    ),
    "sgd": Rule(
        lambda groups, lr, momentum: optim.SGD(groups, lr=lr, momentum=momentum, fused=True),
        _heavy_ball,
        remembers=1,
    ),
}
"""By name."""

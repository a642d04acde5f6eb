"""The update rules."""

from __future__ import annotations

from torch import nn, optim

from rgcore.training.plan import TrainingPlan


def make_optimizer(network: nn.Module, plan: TrainingPlan) -> optim.Optimizer:
    """The optimizer of a plan; matrices decay, biases and norm gains do not.

    Fused kernels: one call for all parameters, which small networks feel.
    """
    parameters = list(network.parameters())
    groups = [
        {
            "params": [p for p in parameters if p.ndim > 1],
            "weight_decay": plan.weight_decay,
        },
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if plan.optimizer == "adamw":
        return optim.AdamW(groups, lr=plan.lr, fused=True)
    if plan.optimizer == "adam":
        return optim.Adam(groups, lr=plan.lr, fused=True)
    return optim.SGD(groups, lr=plan.lr, momentum=plan.momentum, fused=True)

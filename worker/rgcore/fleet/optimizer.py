"""The update rules of a fleet: a few operations on the weights of all members."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from rgcore.fleet.stack import Stack
from rgcore.training import TrainingPlan

BETAS = (0.9, 0.999)
ADAM_EPS = 1e-8
CLIP_EPS = 1e-6
"""The constants of `torch.optim` and of `clip_grad_norm_`, which a run by itself goes by."""


class FleetOptimizer:
    """`rgcore.training`'s optimizers with a learning rate, a decay and a clipping for each member.

    Attributes:
        stack: what it changes, in place.
    """

    def __init__(self, stack: Stack, plans: Sequence[TrainingPlan]) -> None:
        self.stack = stack
        self._rule = plans[0].optimizer
        self._momentum = plans[0].momentum
        self._step = 0
        self._lr = self._column([plan.lr for plan in plans])
        self._decay = self._column([plan.weight_decay for plan in plans])
        self._decays = any(plan.weight_decay for plan in plans)
        clips = [plan.grad_clip for plan in plans]
        self._clips = any(clip is not None for clip in clips)
        self._clip = self._column([torch.inf if clip is None else clip for clip in clips])
        self._mean = torch.zeros_like(stack.flat, requires_grad=False)  # of the gradient
        adaptive = self._rule != "sgd"
        self._square = torch.zeros_like(self._mean) if adaptive else None

    @torch.no_grad()
    def step(self, gradient: Tensor, share: float) -> None:
        """One step.

        Args:
            gradient: (K, P) of the stack's weights; overwritten.
            share: the learning rate over its peak, the same for all members.
        """
        self._step += 1
        if self._clips:
            norm = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)
            factor = (self._clip / (norm + CLIP_EPS)).clamp(max=1.0)
            gradient.mul_(torch.where(self._clip < torch.inf, factor, 1.0))
        rate = self._lr * share  # (K, 1)
        if self._decays:
            self._apply_decay(gradient, rate)
        if self._square is None:
            self._mean.mul_(self._momentum).add_(gradient)
            self.stack.flat.addcmul_(self._mean, rate, value=-1.0)
            return
        self._mean.lerp_(gradient, 1 - BETAS[0])
        self._square.mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
        unbias_mean, unbias_square = (1 - beta**self._step for beta in BETAS)
        size = torch.sqrt(self._square, out=gradient)
        size.div_(unbias_square**0.5).add_(ADAM_EPS)
        direction = torch.div(self._mean, size, out=size)
        self.stack.flat.addcmul_(direction, rate, value=-1 / unbias_mean)

    def keep(self, rows: Tensor) -> None:
        """Drop all members but these; the stack drops its own."""
        self._lr, self._decay, self._clip = self._lr[rows], self._decay[rows], self._clip[rows]
        self._mean = self._mean[rows]
        if self._square is not None:
            self._square = self._square[rows]

    def _apply_decay(self, gradient: Tensor, rate: Tensor) -> None:
        """Decay of matrices: of the weights for adamw, through the gradient for the others."""
        matrices = self.stack.flat[:, : self.stack.n_decaying]
        if self._rule == "adamw":
            matrices.mul_(1 - rate * self._decay)
        else:
            gradient[:, : self.stack.n_decaying].addcmul_(matrices, self._decay)

    def _column(self, values: Sequence[float]) -> Tensor:
        flat = self.stack.flat
        return torch.tensor(values, dtype=flat.dtype, device=flat.device)[:, None]

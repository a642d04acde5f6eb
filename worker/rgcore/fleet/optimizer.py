"""The update of a fleet: a few operations on the weights of all members."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from rgcore.fleet.stack import Stack
from rgcore.training import OPTIMIZERS, TrainingPlan
from rgcore.training.rules import Step, clipped_by


class FleetOptimizer:
    """`rgcore.training`'s optimizers with a learning rate, a decay and a clipping for each member.

    Attributes:
        stack: what it changes, in place.
    """

    def __init__(self, stack: Stack, plans: Sequence[TrainingPlan]) -> None:
        self.stack = stack
        self._rule = OPTIMIZERS[plans[0].optimizer]
        self._momentum = plans[0].momentum
        self._step = 0
        self._lr = self._column([plan.lr for plan in plans])
        self._decay = self._column([plan.weight_decay for plan in plans])
        self._decays = any(plan.weight_decay for plan in plans)
        clips = [plan.grad_clip for plan in plans]
        self._clips = any(clip is not None for clip in clips)
        self._clip = self._column([torch.inf if clip is None else clip for clip in clips])
        self._memory = [
            torch.zeros_like(stack.flat, requires_grad=False) for _ in range(self._rule.remembers)
        ]

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
            factor = clipped_by(norm, self._clip)
            gradient.mul_(torch.where(self._clip < torch.inf, factor, 1.0))
        rate = self._lr * share  # (K, 1)
        if self._decays:
            self._apply_decay(gradient, rate)
        weights, memory = self.stack.flat, self._memory
        self._rule.move(Step(weights, gradient, memory, rate, self._momentum, self._step))

    def keep(self, rows: Tensor) -> None:
        """Drop all members but these; the stack drops its own."""
        self._lr, self._decay, self._clip = self._lr[rows], self._decay[rows], self._clip[rows]
        self._memory = [kept[rows] for kept in self._memory]

    def _apply_decay(self, gradient: Tensor, rate: Tensor) -> None:
        """Decay of matrices, as the rule has it."""
        matrices = self.stack.flat[:, : self.stack.n_decaying]
        if self._rule.decay_apart:
            matrices.mul_(1 - rate * self._decay)
        else:
            gradient[:, : self.stack.n_decaying].addcmul_(matrices, self._decay)

    def _column(self, values: Sequence[float]) -> Tensor:
        flat = self.stack.flat
        return torch.tensor(values, dtype=flat.dtype, device=flat.device)[:, None]

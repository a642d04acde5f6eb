"""The update rules, on all weights of a network as one array."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from rgcore.training.plan import TrainingPlan
from rgcore.training.rules import OPTIMIZERS, clipped_by


class Optimizer:
    """The update rule of a plan; matrices decay, biases and norm gains do not.

    The network's parameters become views of one array, the matrices first. So clipping and the
    update are a handful of calls whatever the depth, which small networks feel. Nothing but a
    move to another device or type undoes that, which must not happen while it is in use.

    Args:
        network: changed in place.
        plan: of the training.
    """

    def __init__(self, network: nn.Module, plan: TrainingPlan) -> None:
        matrices = [p for p in network.parameters() if p.ndim > 1]
        rest = [p for p in network.parameters() if p.ndim <= 1]
        self.parameters = [*matrices, *rest]
        self._grad_clip = plan.grad_clip
        flat = torch.cat([p.detach().reshape(-1) for p in self.parameters])
        pieces = flat.split_with_sizes([p.numel() for p in self.parameters])
        for parameter, piece in zip(self.parameters, pieces, strict=True):
            parameter.data = piece.view_as(parameter)
        self._gradient = torch.zeros_like(flat)
        n_decaying = sum(p.numel() for p in matrices)
        groups = []
        for part, decay in ((slice(n_decaying), plan.weight_decay), (slice(n_decaying, None), 0.0)):
            weights = nn.Parameter(flat[part])
            weights.grad = self._gradient[part]
            groups.append({"params": [weights], "weight_decay": decay})
        self._rule = OPTIMIZERS[plan.optimizer].fused(groups, plan.lr, plan.momentum)

    def step(self, gradients: Sequence[Tensor], rate: float) -> None:
        """Move the weights.

        Args:
            gradients: of `parameters`, in their order and shapes.
            rate: the learning rate.
        """
        torch.cat([gradient.reshape(-1) for gradient in gradients], out=self._gradient)
        if self._grad_clip is not None:
            norm = torch.linalg.vector_norm(self._gradient)
            self._gradient *= clipped_by(norm, self._grad_clip)
        for group in self._rule.param_groups:
            group["lr"] = rate
        self._rule.step()

    def state_dict(self) -> dict[str, Any]:
        """A copy of all that the rule remembers."""
        return copy.deepcopy(self._rule.state_dict())

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state of the same plan and architecture, which is copied."""
        self._rule.load_state_dict(copy.deepcopy(dict(state)))

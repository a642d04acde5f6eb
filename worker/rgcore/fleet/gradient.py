"""The losses of a step and their gradient."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from rgcore.fleet.batches import NO_TARGET, FleetBatch
from rgcore.fleet.forward import FleetForward
from rgcore.fleet.stack import Stack


@dataclass(frozen=True, eq=False)
class Gradient:
    """What a step of K members needs to know of its batch.

    Attributes:
        losses: (K,), mean cross-entropy over the hidden tokens of each member.
        of_weights: (K, P), of each member's loss.
    """

    losses: Tensor
    of_weights: Tensor


def gradient_of(stack: Stack, forward: FleetForward, batch: FleetBatch) -> Gradient:
    """Losses on a batch, and their gradient in the weights of the stack."""
    logits = forward.masked_logits(stack.weights(), batch)  # (K, m, V)
    each = functional.cross_entropy(
        logits.flatten(0, 1), batch.targets.flatten(), reduction="none", ignore_index=NO_TARGET
    )
    losses = each.view(batch.rows.shape).sum(dim=1) / batch.counts
    (of_weights,) = torch.autograd.grad(losses, stack.flat, torch.ones_like(losses))
    return Gradient(losses.detach(), of_weights)

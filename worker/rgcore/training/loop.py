"""The training loop."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional
from torch.nn.utils import clip_grad_norm_

from rgcore.chain import Chain
from rgcore.network import ResidualNetwork
from rgcore.random import derive_generator
from rgcore.training.checkpoint import TrainingCheckpoint
from rgcore.training.data import masked_batch
from rgcore.training.plan import TrainingPlan, make_optimizer, make_schedule

TRACE_POINTS = 200


class DivergedError(RuntimeError):
    """The training loss is not finite; carries the step at which it was seen."""

    def __init__(self, step: int) -> None:
        """Name the step."""
        super().__init__(f"the training loss was not finite by step {step}")
        self.step = step


@dataclass(frozen=True)
class Progress:
    """How far training is."""

    step: int
    steps: int
    loss: float
    """Mean over the steps since the last report, nats per masked token."""


@dataclass(frozen=True, eq=False)
class TrainingTrace:
    """The loss along training; each point is the mean over the steps since the one before."""

    steps: NDArray[np.int64]
    losses: NDArray[np.float64]
    """nats per masked token"""


def train(
    network: ResidualNetwork,
    chain: Chain,
    plan: TrainingPlan,
    seed: int,
    *,
    seq_len: int,
    on_progress: Callable[[Progress], None] | None = None,
    checkpoint: TrainingCheckpoint | None = None,
    on_checkpoint: Callable[[TrainingCheckpoint], None] | None = None,
    checkpoint_every: int | None = None,
) -> TrainingTrace:
    """Train a network in place on fresh sequences of a chain.

    Args:
        network: trained where its parameters are.
        chain: sampled anew at each step, from the stream "data" of the seed.
        plan: the budget.
        seed: with the network's weights, decides every number.
        seq_len: T, tokens.
        on_progress: told of the loss, up to 200 times.
        checkpoint: go on from here; the end is the same bit for bit as without the stop.
        on_checkpoint: handed a checkpoint every `checkpoint_every` steps.
        checkpoint_every: steps.

    Raises:
        DivergedError: the loss is not finite.
    """
    device = network.embedding.device
    generator = derive_generator(seed, "data")
    optimizer = make_optimizer(network, plan)
    schedule = make_schedule(optimizer, plan)
    trace_steps: list[int] = []
    trace_losses: list[float] = []
    pending = torch.zeros((), dtype=torch.float64, device=device)
    start = 0
    if checkpoint is not None:
        start = checkpoint.step
        network.load_state_dict(checkpoint.network)
        optimizer.load_state_dict(copy.deepcopy(checkpoint.optimizer))
        schedule.load_state_dict(dict(checkpoint.schedule))
        generator.set_state(checkpoint.generator)
        trace_steps, trace_losses = list(checkpoint.trace_steps), list(checkpoint.trace_losses)
        pending = checkpoint.pending.to(device, copy=True)
    every = max(1, math.ceil(plan.steps / TRACE_POINTS))
    for step in range(start + 1, plan.steps + 1):
        batch = masked_batch(chain, plan.batch_size, seq_len, plan.mask_prob, generator)
        mask = batch.mask.to(device)
        logits = network.masked_logits(batch.inputs.to(device), mask)  # (m, V)
        loss = functional.cross_entropy(logits, batch.tokens.to(device)[mask])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if plan.grad_clip is not None:
            clip_grad_norm_(network.parameters(), plan.grad_clip)
        optimizer.step()
        schedule.step()
        pending += loss.detach()
        if step % every == 0 or step == plan.steps:  # the loss is read off the device only here
            last = trace_steps[-1] if trace_steps else 0
            mean = float(pending) / (step - last)
            if not math.isfinite(mean):
                raise DivergedError(step)
            trace_steps.append(step)
            trace_losses.append(mean)
            pending.zero_()
            if on_progress is not None:
                on_progress(Progress(step, plan.steps, mean))
        if on_checkpoint is not None and checkpoint_every and step % checkpoint_every == 0:
            on_checkpoint(
                TrainingCheckpoint(
                    step=step,
                    network=copy.deepcopy(network.state_dict()),
                    optimizer=copy.deepcopy(optimizer.state_dict()),
                    schedule=dict(schedule.state_dict()),
                    generator=generator.get_state(),
                    trace_steps=list(trace_steps),
                    trace_losses=list(trace_losses),
                    pending=pending.clone(),
                )
            )
    return TrainingTrace(np.array(trace_steps, dtype=np.int64), np.array(trace_losses))

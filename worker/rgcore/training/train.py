"""The training loop."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from rgcore.chain import Chain
from rgcore.network import ResidualNetwork
from rgcore.random import derive_generator
from rgcore.training.checkpoint import TrainingCheckpoint
from rgcore.training.data import BatchStream
from rgcore.training.optimizer import Optimizer
from rgcore.training.plan import TrainingPlan
from rgcore.training.schedule import learning_rate
from rgcore.training.trace import LossRecorder, TrainingTrace


@dataclass(frozen=True)
class Progress:
    """How far a training run is.

    Attributes:
        step: steps done.
        steps: steps in all.
        loss: mean training loss since the last report, in nats.
    """

    step: int
    steps: int
    loss: float


def train(
    network: ResidualNetwork,
    chain: Chain,
    plan: TrainingPlan,
    seed: int,
    *,
    seq_len: int,
    on_progress: Callable[[Progress], None] | None = None,
    progress_every: int = 20,
    stops: Collection[int] = (),
    on_stop: Callable[[int], None] | None = None,
    checkpoint: TrainingCheckpoint | None = None,
    on_checkpoint: Callable[[TrainingCheckpoint], None] | None = None,
    checkpoint_every: int | None = None,
) -> TrainingTrace:
    """Train a network in place, on the device it is on.

    Every step draws fresh sequences from the stream "data" of the seed, hides each token with
    probability mask_prob (and one token where none is hidden in the whole batch), and takes the
    mean cross-entropy over the hidden tokens. Run again from a checkpoint, it gives the weights
    and the trace of an uninterrupted run, bit for bit on the CPU with the same number of threads:
    another number adds up the gradients of norm gains and embeddings in another order.

    Args:
        network: changed in place.
        chain: law of the sequences.
        plan: the budget.
        seed: of the data; the initial weights are the caller's.
        seq_len: T.
        on_progress: called every `progress_every` steps and after the last.
        progress_every: steps between two reports.
        stops: numbers of steps done at which `on_stop` is called, to look at the network.
        on_stop: called with the steps done; must leave the network as it is.
        checkpoint: where to go on; it overwrites the network's weights.
        on_checkpoint: called every `checkpoint_every` steps, except after the last.
        checkpoint_every: steps between two checkpoints; None for none.

    Raises:
        DivergedError: the loss is not finite.
        ValueError: the checkpoint is of another plan or seed.
    """
    optimizer = Optimizer(network, plan)
    stream = BatchStream(
        chain, plan.batch_size, seq_len, plan.mask_prob, derive_generator(seed, "data")
    )
    recorder = LossRecorder(plan.steps)
    if checkpoint is not None:
        _resume(checkpoint, network, optimizer, stream, recorder, plan, seed)
    network.train()
    while recorder.step < plan.steps:
        rate = learning_rate(plan.schedule, recorder.step, plan.steps, plan.lr)
        recorder.add(_step(network, optimizer, stream, rate))
        step = recorder.step
        if on_progress is not None and (step % progress_every == 0 or step == plan.steps):
            on_progress(Progress(step, plan.steps, recorder.recent()))
        if on_stop is not None and step in stops:
            on_stop(step)
        due = checkpoint_every is not None and step % checkpoint_every == 0
        if on_checkpoint is not None and due and step < plan.steps:
            recorder.flush()
            on_checkpoint(_checkpoint(network, optimizer, stream, recorder, plan, seed))
    return recorder.trace()


def _step(
    network: ResidualNetwork, optimizer: Optimizer, stream: BatchStream, rate: float
) -> Tensor:
    """One step; the loss before it."""
    device = optimizer.parameters[0].device
    batch = stream.next()
    targets = batch.tokens[batch.mask].to(device)  # (m,)
    logits = network.masked_logits(batch.inputs.to(device), batch.mask.to(device))  # (m, V)
    loss = functional.cross_entropy(logits, targets)
    optimizer.step(torch.autograd.grad(loss, optimizer.parameters), rate)
    return loss


def _checkpoint(
    network: ResidualNetwork,
    optimizer: Optimizer,
    stream: BatchStream,
    recorder: LossRecorder,
    plan: TrainingPlan,
    seed: int,
) -> TrainingCheckpoint:
    return TrainingCheckpoint(
        step=recorder.step,
        seed=seed,
        plan=plan,
        weights=copy.deepcopy(dict(network.state_dict())),
        optimizer=optimizer.state_dict(),
        data=stream.state,
        points=list(recorder.points),
        window=list(recorder.window),
    )


def _resume(
    checkpoint: TrainingCheckpoint,
    network: ResidualNetwork,
    optimizer: Optimizer,
    stream: BatchStream,
    recorder: LossRecorder,
    plan: TrainingPlan,
    seed: int,
) -> None:
    if (checkpoint.plan, checkpoint.seed) != (plan, seed):
        raise ValueError(
            f"the checkpoint is of seed {checkpoint.seed} and {checkpoint.plan}; "
            f"allowed: seed {seed} and {plan}"
        )
    network.load_state_dict(checkpoint.weights)
    optimizer.load_state_dict(checkpoint.optimizer)
    stream.restore(checkpoint.data)
    recorder.read_steps = checkpoint.step
    recorder.points = list(checkpoint.points)
    recorder.window = list(checkpoint.window)

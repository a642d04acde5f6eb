"""Two training loops in PyTorch: one as it comes to mind, one as fast as we know how.

They get RGLab's sequences, drawn by RGLab's sampler, which they are charged for as RGLab is; its
initial weights; its groups of weight decay, learning rates and bound on the gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn, optim
from torch.nn import functional

from benchmarks.peer_network import PeerNetwork
from benchmarks.shapes import Problem
from rgcore.training import BatchStream, derive_generator, learning_rate
from rgcore.training.data import Batch

Loop = Callable[[PeerNetwork, Problem, int], list[float]]


def plain_loop(network: PeerNetwork, problem: Problem, seed: int) -> list[float]:
    """Logits at all positions, the loss of the masked ones, AdamW as it comes; loss per step."""
    optimizer = optim.AdamW(_groups(network, problem), lr=problem.plan.lr)
    losses = []
    for batch in _batches(optimizer, problem, seed):
        logits = network(network.windows(batch.inputs))  # (n, T, V)
        loss = functional.cross_entropy(logits[batch.mask], batch.tokens[batch.mask])
        _step(network, optimizer, problem, loss)
        losses.append(loss.item())
    return losses


def masked_loop(network: PeerNetwork, problem: Problem, seed: int) -> list[float]:
    """Logits at the masked positions alone, fused AdamW; loss per step."""
    optimizer = optim.AdamW(_groups(network, problem), lr=problem.plan.lr, fused=True)
    losses = []
    for batch in _batches(optimizer, problem, seed):
        logits = network(network.windows(batch.inputs)[batch.mask])  # (m, V)
        loss = functional.cross_entropy(logits, batch.tokens[batch.mask])
        _step(network, optimizer, problem, loss)
        losses.append(loss.detach())
    found: list[float] = torch.stack(losses).tolist()
    return found


def _batches(optimizer: optim.Optimizer, problem: Problem, seed: int) -> Iterator[Batch]:
    """The batch of every step, for which the learning rate is set."""
    plan = problem.plan
    data = derive_generator(seed, "data")
    stream = BatchStream(problem.chain, plan.batch_size, problem.arch.seq_len, plan.mask_prob, data)
    for step in range(plan.steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(plan.schedule, step, plan.steps, plan.lr)
        yield stream.next()


def _step(network: nn.Module, optimizer: optim.Optimizer, problem: Problem, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    if problem.plan.grad_clip is not None:
        nn.utils.clip_grad_norm_(network.parameters(), problem.plan.grad_clip)
    optimizer.step()


def _groups(network: nn.Module, problem: Problem) -> list[dict[str, object]]:
    parameters = list(network.parameters())
    return [
        {
            "params": [p for p in parameters if p.ndim > 1],
            "weight_decay": problem.plan.weight_decay,
        },
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]

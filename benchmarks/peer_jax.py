"""The training loop in JAX: `jit(vmap(scan))` over members and steps, masked rows alone.

A static number of rows, the largest number of masked tokens that a batch of the training has; the
rest of the rows have weight 0. Sequences are drawn by RGLab's sampler, which JAX is charged for as
all are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.nn import functional

from benchmarks.jobs import Trained
from benchmarks.peers import peer
from benchmarks.shapes import Problem, Shape
from rgcore.network import ResidualNetwork
from rgcore.training import BatchStream, derive_generator, learning_rate

Array = NDArray[Any]
Tree = Any
"""Arrays in dictionaries and lists."""

BETAS, EPSILON = (0.9, 0.999), 1e-8
NORM_EPSILON, CLIP_EPSILON = 1e-5, 1e-6
ROUND = 8
"""Rows are a multiple of it, so that neighbouring trainings share one compilation."""

_runs: dict[tuple[Any, ...], tuple[Callable[..., Any], float]] = {}
"""Compiled, with the seconds that it took."""


def one_by_one(shape: Shape, steps: int, seeds: Sequence[int], rows: int) -> Trained:
    """One member at a time."""
    found = [together(shape, steps, [seed], rows) for seed in seeds]
    losses = [one.losses[0] for one in found]
    return Trained(sum(one.seconds for one in found), losses, found[0].note)


def together(shape: Shape, steps: int, seeds: Sequence[int], rows: int) -> Trained:
    """All members in one call; the note has the seconds of compiling, which do not count.

    Args:
        shape: of every member.
        steps: of the training.
        seeds: of the members.
        rows: static, see `rows_needed`.

    Raises:
        RefusedError: there is no JAX.
    """
    jax = peer("jax", "jax")
    problem = shape.problem(steps)
    weights = _stacked([parameters(problem.network(seed)) for seed in seeds])
    weights = jax.tree.map(jax.numpy.asarray, weights)
    run, compiling = _compiled(shape, steps, len(seeds), rows, weights)
    jax.block_until_ready(weights)
    begin = time.perf_counter()
    data = _stacked([_batches(problem, seed, rows) for seed in seeds])
    drawing = time.perf_counter() - begin
    losses = np.asarray(run(weights, data))  # (K, steps)
    seconds = time.perf_counter() - begin
    return Trained(seconds, losses.tolist(), f"compiled in {compiling:.1f} s", drawing)


def rows_needed(shape: Shape, steps: int, seeds: Sequence[int]) -> int:
    """The largest number of masked tokens in a batch, rounded up."""
    problem = shape.problem(steps)
    most = max(int(mask.sum()) for seed in seeds for mask, _, _ in _drawn(problem, seed))
    return -(-most // ROUND) * ROUND


def parameters(network: ResidualNetwork) -> Tree:
    """The weights of one of RGLab's networks, as arrays."""
    state = {name: tensor.numpy() for name, tensor in network.state_dict().items()}

    def of(prefix: str, *names: str) -> dict[str, Array]:
        return {name: state[f"{prefix}.{name}"] for name in names}

    return {
        "embedding": state["stem.embedding"],  # (V + 2, d)
        "stem": np.concatenate(list(state["stem.weight"])),  # (slots * d, d)
        "blocks": [
            {
                part: of(f"blocks.{layer}.{part}", "weight", "bias")
                for part in ("norm", "enter", "leave")
            }
            for layer in range(network.arch.depth)
        ],
        "norm": of("final_norm", "weight", "bias"),
        "head": of("head", "weight", "bias"),
    }


def _compiled(
    shape: Shape, steps: int, members: int, rows: int, weights: Tree
) -> tuple[Callable[..., Any], float]:
    known = (shape, steps, members, rows)
    if known not in _runs:
        jax = peer("jax", "jax")
        problem = shape.problem(steps)
        data = _stacked([_batches(problem, seed, rows) for seed in range(members)])
        begin = time.perf_counter()
        run = jax.jit(jax.vmap(_training(problem))).lower(weights, data).compile()
        _runs[known] = (run, time.perf_counter() - begin)
    return _runs[known]


def _training(problem: Problem) -> Callable[[Tree, Tree], Any]:
    """(weights, data) of one member to its losses; data of all steps."""
    jax = peer("jax", "jax")
    jnp = jax.numpy
    plan = problem.plan
    rates = jnp.asarray(
        [learning_rate(plan.schedule, step, plan.steps, plan.lr) for step in range(plan.steps)],
        jnp.float32,
    )
    counts = jnp.arange(1, plan.steps + 1, dtype=jnp.float32)

    def norm(p: Tree, x: Any) -> Any:
        centred = x - x.mean(axis=-1, keepdims=True)
        scale = jax.lax.rsqrt(jnp.square(centred).mean(axis=-1, keepdims=True) + NORM_EPSILON)
        return centred * scale * p["weight"] + p["bias"]

    def linear(p: Tree, x: Any) -> Any:
        return x @ p["weight"].T + p["bias"]

    def loss(weights: Tree, windows: Any, targets: Any, kept: Any) -> Any:
        stream = weights["embedding"][windows].reshape(len(targets), -1) @ weights["stem"]
        for p in weights["blocks"]:
            hidden = jax.nn.gelu(linear(p["enter"], norm(p["norm"], stream)), approximate=False)
            stream = stream + linear(p["leave"], hidden)
        logits = linear(weights["head"], norm(weights["norm"], stream))
        chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), targets[:, None], axis=1)[:, 0]
        return -(chosen * kept).sum() / kept.sum()

    def step(state: Tree, given: Tree) -> tuple[Tree, Any]:
        weights, first, second = state
        (windows, targets, kept), rate, count = given
        value, gradient = jax.value_and_grad(loss)(weights, windows, targets, kept)
        if plan.grad_clip is not None:
            squares = sum(jnp.square(g).sum() for g in jax.tree.leaves(gradient))
            factor = jnp.minimum(1.0, plan.grad_clip / (jnp.sqrt(squares) + CLIP_EPSILON))
            gradient = jax.tree.map(lambda g: g * factor, gradient)
        b1, b2 = BETAS
        first = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, first, gradient)
        second = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g * g, second, gradient)

        def updated(p: Any, m: Any, v: Any) -> Any:
            decay = plan.weight_decay if p.ndim > 1 else 0.0
            below = jnp.sqrt(v) / jnp.sqrt(1 - b2**count) + EPSILON
            return p * (1 - rate * decay) - rate / (1 - b1**count) * m / below

        return (jax.tree.map(updated, weights, first, second), first, second), value

    def training(weights: Tree, data: Tree) -> Any:
        zeros = jax.tree.map(jnp.zeros_like, weights)
        return jax.lax.scan(step, (weights, zeros, zeros), (data, rates, counts))[1]

    return training


def _drawn(problem: Problem, seed: int) -> Iterator[tuple[Array, Array, Array]]:
    """(mask, windows around all positions, tokens) of every batch."""
    plan, arch = problem.plan, problem.arch
    data = derive_generator(seed, "data")
    stream = BatchStream(problem.chain, plan.batch_size, arch.seq_len, plan.mask_prob, data)
    radius = arch.context
    for _ in range(plan.steps):
        batch = stream.next()
        padded = functional.pad(batch.inputs, (radius, radius), value=arch.padding_id)
        windows = padded.unfold(1, 2 * radius + 1, 1)
        yield batch.mask.numpy(), windows.numpy(), batch.tokens.numpy()


def _batches(problem: Problem, seed: int, rows: int) -> tuple[Array, Array, Array]:
    """Windows (steps, rows, 2c + 1), targets (steps, rows) and their weights, 1 or 0."""
    steps, slots = problem.plan.steps, 2 * problem.arch.context + 1
    windows = np.zeros((steps, rows, slots), np.int32)
    targets = np.zeros((steps, rows), np.int32)
    kept = np.zeros((steps, rows), np.float32)
    for step, (mask, around, tokens) in enumerate(_drawn(problem, seed)):
        n = int(mask.sum())
        windows[step, :n], targets[step, :n], kept[step, :n] = around[mask], tokens[mask], 1.0
    return windows, targets, kept


@cache
def _tree() -> Any:
    return peer("jax", "jax").tree


def _stacked(trees: Sequence[Tree]) -> Tree:
    return _tree().map(lambda *leaves: np.stack(leaves), *trees)

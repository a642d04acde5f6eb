"""Ways to take the steps of K members, each a contender that costs seconds per member and step."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from benchmarks import peer_jax
from benchmarks.gpu.setting import Setting
from benchmarks.shapes import Shape
from benchmarks.timing import Contender
from rgcore.fleet import Member
from rgcore.fleet.batches import FleetBatch, FleetStream
from rgcore.fleet.graph import Recorder
from rgcore.fleet.lockstep import Batched
from rgcore.training import train
from rgcore.training.data import MOST_BATCHES

ENDLESS = 1_000_000
"""Steps of a plan that is never seen through."""
CYCLE = MOST_BATCHES
"""Steps after which every member's stream has drawn once: a whole number of them is timed."""
MOST_STEPS = 64
AIM_S = 0.25
"""Seconds that a round shall take, about."""


@dataclass(frozen=True, eq=False)
class Running:
    """A fleet that has taken its first step, and what that took.

    Attributes:
        lockstep: the fleet.
        facts: `note`, why nothing was recorded, if so; on a GPU `peak_bytes`, above what was there
            before, and `reserved_bytes`, what the allocator had taken from the device by then.
    """

    lockstep: Batched
    facts: dict[str, Any]


def started(
    setting: Setting,
    members: Sequence[Member],
    stream: FleetStream,
    batch: FleetBatch,
    record: Recorder | None,
) -> Running:
    """A fleet after a first step on this batch, which records if it can."""
    cuda = setting.device.type == "cuda"
    before = 0
    if cuda:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(setting.device)
        before = torch.cuda.memory_allocated(setting.device)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", RuntimeWarning)
        lockstep = Batched(members, stream, record)
        lockstep.advance_on(batch)
    setting.wait()
    facts: dict[str, Any] = {"note": str(warned[0].message)} if warned else {}
    if cuda:
        facts["peak_bytes"] = torch.cuda.max_memory_allocated(setting.device) - before
        facts["reserved_bytes"] = torch.cuda.memory_reserved(setting.device)
    return Running(lockstep, facts)


def on_batches(setting: Setting, running: Running, batches: Sequence[FleetBatch]) -> Contender:
    """Steps on batches that are there already: what the device has to do, and its launches."""
    lockstep = running.lockstep
    members = len(lockstep.here)

    def some(n: int) -> Callable[[], None]:
        def work() -> None:
            for step in range(n):
                lockstep.advance_on(batches[step % len(batches)])

        return work

    trial = setting.timed(some(2))() / 2
    steps = max(1, min(MOST_STEPS, round(AIM_S / trial)))
    return setting.timed(some(steps), units=steps * members)


def with_sequences(setting: Setting, running: Running) -> Contender:
    """A whole cycle of steps, sequences drawn as they are needed."""
    lockstep = running.lockstep

    def cycle() -> None:
        for _ in range(CYCLE):
            lockstep.advance()

    return setting.timed(cycle, units=CYCLE * len(lockstep.here))


def sampling(stream: FleetStream) -> float:
    """Seconds per member and step of the CPU, to draw a cycle of sequences and send them over."""
    begin = time.perf_counter()
    for _ in range(CYCLE):
        stream.next()
    return (time.perf_counter() - begin) / (CYCLE * len(stream.streams))


def plain(setting: Setting, member: Member, seq_len: int) -> Contender:
    """The plain loop on one network, sequences included, a cycle of steps."""
    plan = replace(member.plan, steps=CYCLE)

    def work() -> None:
        train(member.network, member.chain, plan, member.seed, seq_len=seq_len)

    return setting.timed(work, units=CYCLE)


def in_jax(shape: Shape, steps: int, members: int) -> Callable[[], tuple[float, float, str]]:
    """JAX's seconds per member and step without and with its sequences, and what there is to say.

    Raises:
        RefusedError: there is no JAX.
    """
    os.environ.setdefault("JAX_DEFAULT_MATMUL_PRECISION", "highest")  # else TF32 on a GPU
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # torch needs memory too
    seeds = range(members)
    rows = peer_jax.rows_needed(shape, steps, seeds)

    def once() -> tuple[float, float, str]:
        trained = peer_jax.together(shape, steps, seeds, rows)
        units = steps * members
        return (trained.seconds - trained.drawing) / units, trained.seconds / units, trained.note

    return once

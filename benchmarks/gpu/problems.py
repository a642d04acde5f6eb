"""The small networks that are compared, and the members of a fleet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import torch

from benchmarks.shapes import Problem
from rgcore.chain import make_chain
from rgcore.cost import training_bytes
from rgcore.fleet import Member
from rgcore.network import Architecture
from rgcore.training import TrainingPlan

MEMBERS = range(3)
"""Seeds of a fleet that is compared."""


def small(mixing: str, *, steps: int, toy: bool) -> Problem:
    """A problem that takes a second, and has every part of a large one."""
    return Problem(
        chain=make_chain("random_reversible", 6, 2.0, seed=0),
        arch=Architecture(
            n_states=6,
            seq_len=8 if toy else 16,
            mixing=mixing,
            context=2,
            depth=3,
            width=8 if toy else 24,
            hidden_ratio=2.0,
            activation="gelu",
            norm="layer",
            residual_scale=1.0,
            init_scale=1.0,
        ),
        plan=TrainingPlan(
            steps=steps,
            batch_size=8 if toy else 32,
            mask_prob=0.2,
            optimizer="adamw",
            lr=3e-3,
            schedule="one_cycle",
            weight_decay=0.1,
            grad_clip=1.0,
        ),
    )


def members(
    problem: Problem,
    seeds: Iterable[int],
    device: torch.device,
    dtype: torch.dtype = torch.float32,
) -> list[Member]:
    """Members of these seeds on the device; every other one clips harder."""
    clipped = replace(problem.plan, grad_clip=0.3)
    return [
        Member(
            network=problem.network(seed).to(device, dtype),
            chain=problem.chain,
            plan=clipped if seed % 2 else problem.plan,
            seed=seed,
        )
        for seed in seeds
    ]


def estimated_bytes(problem: Problem) -> int:
    """What the choice of a fleet's size takes one member for."""
    plan = problem.plan
    return training_bytes(problem.arch, batch_size=plan.batch_size, mask_prob=plan.mask_prob)

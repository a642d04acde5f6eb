"""Small members that differ in everything that is a member's own, and runs by themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from devices import DEVICE
from single_thread import single_thread  # noqa: F401  # a fixture
from small_network import ARCH, PLAN

from rgcore.chain import make_chain
from rgcore.fleet import Member
from rgcore.network import build_network
from rgcore.random import derive_generator
from rgcore.training import train

OWN = [
    (1.0, {}),
    (2.0, {"lr": 3e-3, "grad_clip": 0.1}),
    (5.0, {"weight_decay": 0.0, "grad_clip": 100.0}),
    (9.0, {"lr": 2e-2, "weight_decay": 1.0, "grad_clip": 1.0}),
    (30.0, {"lr": 5e-3, "weight_decay": 0.5}),
]
"""Correlation length and what a plan changes, for each member."""


@pytest.fixture
def make_member() -> Any:
    """The member of a seed, in float64 unless told otherwise; fields of both kinds can be given."""

    def make(
        seed: Any, *, double: bool = True, arch: Any = None, stops: Any = (), **plan: Any
    ) -> Any:
        corr_len, own = OWN[seed % len(OWN)]
        network = build_network(replace(ARCH, **(arch or {})), derive_generator(seed, "init"))
        network = network.to(DEVICE)
        return Member(
            network=network.double() if double else network,
            chain=make_chain("potts", n_states=ARCH.n_states, corr_len=corr_len),
            plan=replace(PLAN, **(own | plan)),
            seed=seed,
            stops=stops,
        )

    return make


@pytest.fixture
def trained_alone() -> Any:
    """The trace of a member trained by itself."""

    def run(member: Any, **keywords: Any) -> Any:
        return train(
            member.network, member.chain, member.plan, member.seed, seq_len=ARCH.seq_len, **keywords
        )

    return run


@pytest.fixture
def furthest_apart() -> Any:
    """The largest difference of two members' weights."""

    def compare(one: Any, other: Any) -> Any:
        return max(
            (a - b).abs().max().item()
            for a, b in zip(one.network.parameters(), other.network.parameters(), strict=True)
        )

    return compare

"""Kernels for every instruction set of this machine, and small networks to train with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch

from rgcore.chain import make_chain
from rgcore.fleet import Member
from rgcore.network import Architecture, build_network
from rgcore.random import derive_generator
from rgcore.training import TrainingPlan
from rgkernels import Native, UnusableError
from rgkernels.cache import cached_library
from rgkernels.compiler import found_compiler
from rgkernels.instructions import usable

ARCH = Architecture(
    n_states=4,
    seq_len=6,
    mixing="context",
    context=1,
    depth=2,
    width=5,
    hidden_ratio=1.5,
    activation="gelu",
    norm="layer",
    residual_scale=0.7,
    init_scale=1.0,
)
PLAN = TrainingPlan(
    steps=40,
    batch_size=8,
    mask_prob=0.3,
    optimizer="adamw",
    lr=1e-2,
    schedule="one_cycle",
    weight_decay=0.1,
    grad_clip=1.0,
)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in a trainer."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def compiler() -> Any:
    """The C compiler of this machine."""
    try:
        return found_compiler()
    except UnusableError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session", params=[one.name for one in usable()])
def kernels(request: Any, compiler: Any) -> Any:
    """A library for one instruction set after the other."""
    return cached_library(instructions=next(one for one in usable() if one.name == request.param))


@pytest.fixture(scope="session")
def native(compiler: Any) -> Any:
    """The backend for the widest instructions."""
    return Native(cached_library())


@pytest.fixture
def make_member() -> Any:
    """The member of a seed; fields of its architecture and of its plan can be given."""

    def make(seed: int, *, arch: Any = None, stops: Any = (), **plan: Any) -> Member:
        shape = replace(ARCH, **(arch or {}))
        return Member(
            network=build_network(shape, derive_generator(seed, "init")),
            chain=make_chain("potts", n_states=shape.n_states, corr_len=2.0),
            plan=replace(PLAN, **plan),
            seed=seed,
            stops=stops,
        )

    return make

"""Kernels for every instruction set of this machine, and small networks to train with them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import small_network
from single_thread import single_thread  # noqa: F401  # a fixture
from small_network import ARCH

from rgcore.chain import make_chain
from rgcore.fleet import Member
from rgcore.network import build_network
from rgcore.random import derive_generator
from rgkernels import Native, UnusableError
from rgkernels.cache import cached_library
from rgkernels.compiler import found_compiler
from rgkernels.instructions import usable

PLAN = replace(small_network.PLAN, steps=40, batch_size=8, grad_clip=1.0)


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

"""A step can be recorded: it stays on the device of the weights and never asks what is there.

On device `meta` there are no values to ask for, and nothing that mixes with tensors elsewhere: what
would wait for a GPU raises there, and so do most meetings with a tensor on the CPU.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from rgcore.architecture import NORMS
from rgcore.fleet.batches import FleetBatch
from rgcore.fleet.forward import FleetForward
from rgcore.fleet.gradient import gradient_of
from rgcore.fleet.optimizer import FleetOptimizer
from rgcore.fleet.stack import Stack
from rgcore.network import MIXINGS
from rgcore.training import OPTIMIZERS

META = torch.device("meta")
MEMBERS, BATCH_SIZE, SEQ_LEN, ROWS = 3, 3, 6, 5


@pytest.fixture
def batch() -> Any:
    """Rows and targets are a part of wider arrays, as a stream hands them out."""

    def ids(*shape: Any) -> Any:
        return torch.zeros(*shape, dtype=torch.int64, device=META)

    return FleetBatch(
        inputs=ids(MEMBERS, BATCH_SIZE, SEQ_LEN),
        rows=ids(MEMBERS, ROWS + 2)[:, :ROWS],
        targets=ids(MEMBERS, ROWS + 2)[:, :ROWS],
        counts=ids(MEMBERS),
    )


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("mixing", MIXINGS)
def test_a_step_stays_on_its_device_and_waits_for_nothing(
    mixing: Any, norm: Any, optimizer: Any, make_member: Any, batch: Any
) -> None:
    members = [
        make_member(seed, double=False, arch={"mixing": mixing, "norm": norm}, optimizer=optimizer)
        for seed in range(MEMBERS)
    ]
    stack = Stack([member.network.to(META) for member in members])
    forward = FleetForward(members[0].network.arch, stack.flat.detach())
    found = gradient_of(stack, forward, batch)
    FleetOptimizer(stack, [member.plan for member in members]).step(found.of_weights, 0.5)
    assert {found.losses.device, found.of_weights.device, stack.flat.device} == {META}
    assert found.of_weights.shape == stack.flat.shape


def test_what_asks_for_a_value_would_be_found(make_member: Any, batch: Any) -> None:
    stack = Stack([make_member(seed).network.to(META) for seed in range(MEMBERS)])
    forward = FleetForward(make_member(0).network.arch, stack.flat.detach())
    with pytest.raises((NotImplementedError, RuntimeError)):
        bool(gradient_of(stack, forward, batch).losses.max() > 0)


def test_what_was_left_on_the_cpu_would_be_found(make_member: Any, batch: Any) -> None:
    stack = Stack([make_member(seed).network.to(META) for seed in range(MEMBERS)])
    forward = FleetForward(make_member(0).network.arch, stack.flat.detach())
    elsewhere = replace(batch, counts=torch.ones(MEMBERS, dtype=torch.int64))
    with pytest.raises(RuntimeError, match="device"):
        gradient_of(stack, forward, elsewhere)

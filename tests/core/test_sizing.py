"""How many networks are trained together."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from rgcore.chain import make_chain
from rgcore.cost import parameter_count, training_bytes
from rgcore.fleet import Member, train_fleet
from rgcore.network import MIXINGS, Architecture, build_network
from rgcore.random import derive_generator
from rgcore.sizing import choose_fleet_size
from rgcore.training import TrainingPlan

GIB = 2**30
BATCH, MASK_PROB = 128, 0.15
TINY = {"n_states": 4, "seq_len": 16, "depth": 2, "width": 16}
SMALL = {"n_states": 16, "seq_len": 32, "depth": 4, "width": 32}
MIDDLE = {"n_states": 32, "seq_len": 64, "depth": 8, "width": 128}


def of(shape: Any, mixing: str = "context") -> Any:
    return Architecture(
        mixing=mixing,
        context=3,
        hidden_ratio=2.0,
        activation="gelu",
        norm="layer",
        residual_scale=1.0,
        init_scale=1.0,
        **shape,
    )


def size(
    shape: Any,
    *,
    device: str = "cpu",
    memory: Any = 4 * GIB,
    mixing: str = "context",
    batch_size: Any = BATCH,
) -> Any:
    return choose_fleet_size(
        of(shape, mixing),
        batch_size=batch_size,
        mask_prob=MASK_PROB,
        device=device,
        memory=memory,
    )


def test_networks_that_fill_a_core_are_trained_one_by_one_on_it() -> None:
    assert size(MIDDLE) == 1


def test_the_smaller_the_network_the_larger_the_fleet_on_a_core() -> None:
    assert 1 < size(SMALL) < size(TINY, batch_size=8)


@pytest.mark.parametrize("mixing", ["mixer", "window"])
def test_networks_that_run_on_all_places_are_fewer(mixing: str) -> None:
    assert size(SMALL, mixing=mixing) < size(SMALL)


def test_a_gpu_takes_as_many_as_it_has_room_for() -> None:
    assert size(MIDDLE, device="cuda", memory=4 * GIB) > 1
    assert size(MIDDLE, device="cuda", memory=8 * GIB) > size(MIDDLE, device="cuda", memory=4 * GIB)


def test_a_fleet_fits_the_memory() -> None:
    members = size(MIDDLE, device="cuda", memory=4 * GIB)
    one = training_bytes(of(MIDDLE), batch_size=BATCH, mask_prob=MASK_PROB)
    assert members * one < 4 * GIB


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_where_not_even_one_fits_one_is_tried(device: str) -> None:
    assert size(MIDDLE, device=device, memory=1) == 1


@pytest.mark.parametrize("mixing", MIXINGS)
@pytest.mark.parametrize(("shape", "batch"), [(TINY, 8), (SMALL, BATCH)], ids=["tiny", "small"])
def test_the_estimate_is_above_what_is_kept_and_within_four_times(
    mixing: Any, shape: Any, batch: Any
) -> None:
    # Kept: what autograd saves for one step, and five copies of the weights. The rest of the
    # estimate is what passes and sequences drawn ahead, which differ from moment to moment.
    arch = of(shape, mixing)
    chain = make_chain("potts", n_states=arch.n_states, corr_len=3.0)
    plan = TrainingPlan(1, batch, MASK_PROB, "adamw", 1e-3, "constant", 0.01, 1.0)
    members = [
        Member(build_network(arch, derive_generator(seed, "init")), chain, plan, seed)
        for seed in range(2)
    ]
    saved = {}

    def pack(tensor: Any) -> Any:
        saved[tensor.untyped_storage().data_ptr()] = tensor  # alive, so that no two share a place
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        train_fleet(members, seq_len=arch.seq_len)
    kept = sum(tensor.untyped_storage().nbytes() for tensor in saved.values()) / len(members)
    kept += 4 * 4 * parameter_count(arch)  # the fleet's weights are among what is saved
    assert kept <= training_bytes(arch, batch_size=batch, mask_prob=MASK_PROB) <= 4 * kept

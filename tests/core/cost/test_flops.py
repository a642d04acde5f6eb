"""Operations by arithmetic against those of the matrix products that torch is asked for."""

from __future__ import annotations

from typing import Any

import pytest
from counted_flops import counted

from rgcore.chain import make_chain
from rgcore.cost import measurement_flops, training_flops
from rgcore.fleet import Member, train_fleet
from rgcore.measurement import LEVELS_OF, measure
from rgcore.network import MIXINGS, build_network
from rgcore.random import derive_generator
from rgcore.training import TrainingPlan, train

STEPS, BATCH, MASK_PROB, SEQUENCES = 8, 64, 0.25, 1024
HIDDEN_AT_RANDOM = 0.03
"""The forecast is of the expected number of hidden tokens; these are five times its spread."""


def problem(arch: Any) -> Any:
    """A chain, a plan, and a network untrained."""
    chain = make_chain("potts", n_states=arch.n_states, corr_len=3.0)
    plan = TrainingPlan(STEPS, BATCH, MASK_PROB, "adamw", 1e-3, "constant", 0.01, 1.0)
    return chain, plan, build_network(arch, derive_generator(0, "init"))


@pytest.mark.parametrize("mixing", MIXINGS)
def test_a_training_takes_the_operations_that_were_forecast(make_arch: Any, mixing: Any) -> None:
    arch = make_arch(mixing)
    chain, plan, network = problem(arch)
    forecast = training_flops(arch, steps=STEPS, batch_size=BATCH, mask_prob=MASK_PROB)
    found = counted(lambda: train(network, chain, plan, 0, seq_len=arch.seq_len))
    assert forecast == pytest.approx(found, rel=HIDDEN_AT_RANDOM)


@pytest.mark.parametrize("mixing", MIXINGS)
def test_a_member_of_a_fleet_takes_the_same(make_arch: Any, mixing: Any) -> None:
    arch = make_arch(mixing, norm="none")  # a norm is folded into the maps of all its members
    chain, plan, network = problem(arch)
    forecast = training_flops(arch, steps=STEPS, batch_size=BATCH, mask_prob=MASK_PROB)
    found = counted(lambda: train_fleet([Member(network, chain, plan, 0)], seq_len=arch.seq_len))
    assert forecast == pytest.approx(found, rel=HIDDEN_AT_RANDOM)


@pytest.mark.parametrize("mixing", MIXINGS)
@pytest.mark.parametrize("sizes", [{}, {"n_states": 5, "seq_len": 40, "width": 24, "depth": 2}])
def test_a_measurement_takes_the_products_that_were_forecast(
    make_arch: Any, mixing: Any, sizes: Any
) -> None:
    arch = make_arch(mixing, **sizes)
    assert_measured_as_forecast(arch, LEVELS_OF[mixing])


@pytest.mark.parametrize("level", LEVELS_OF["context"])
def test_each_level_takes_its_own(make_arch: Any, level: Any) -> None:
    assert_measured_as_forecast(make_arch("context"), [level])


def assert_measured_as_forecast(arch: Any, levels: Any) -> None:
    """The products torch makes are all of the forecast but the decompositions."""
    chain, _, network = problem(arch)
    sizes: dict[str, Any] = {
        "n_sequences": SEQUENCES,
        "mask_prob": MASK_PROB,
        "levels": frozenset(levels),
    }
    decompositions = 2 * measurement_flops(arch, **sizes) - measurement_flops(
        arch, **sizes | {"n_sequences": 2 * SEQUENCES}
    )  # what does not grow with the sequences
    found = counted(
        lambda: measure(
            network,
            chain,
            seq_len=arch.seq_len,
            n_sequences=SEQUENCES,
            mask_prob=MASK_PROB,
            levels=levels,
            seed=0,
        )
    )
    assert measurement_flops(arch, **sizes) - decompositions == pytest.approx(found, rel=0.04)

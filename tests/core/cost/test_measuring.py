"""How a measurement is run and what it leaves behind, against a measurement."""

from __future__ import annotations

from typing import Any

import pytest

from rgcontract import ExperimentSpec, Mixing
from rgcontract.observables import measured_at
from rgcore.chain import make_chain
from rgcore.cost import measured_numbers, measurement_passes, run_cost
from rgcore.cost.run import KEPT_PER_QUANTITY
from rgcore.measurement import LEVELS_OF, measure
from rgcore.network import MIXINGS, build_network
from rgcore.random import derive_generator
from rgworker.record import chain_record, quantities
from rgworker.unpack import architecture_of, chain_of


@pytest.mark.parametrize("mixing", MIXINGS)
@pytest.mark.parametrize("seq_len", [16, 40])
def test_as_many_numbers_are_found_as_were_forecast(
    make_arch: Any, mixing: Any, seq_len: int
) -> None:
    arch = make_arch(mixing, seq_len=seq_len)
    levels = LEVELS_OF[mixing]
    measured = measure(
        build_network(arch, derive_generator(0, "init")),
        make_chain("potts", n_states=arch.n_states, corr_len=3.0),
        seq_len=seq_len,
        n_sequences=64,
        mask_prob=0.25,
        levels=levels,
        seed=0,
    )
    found = quantities("final", 1, measured)
    numbers = sum(len(one.values) for one in found)
    forecast = [row.axes for row in measured_at(levels, Mixing(mixing))]
    assert measured_numbers(arch, forecast) == (len(found), numbers)


def test_a_draw_of_a_chain_is_forecast_with_its_numbers() -> None:
    spec = ExperimentSpec.model_validate({"chain": {"n_states": 12}, "data": {"seq_len": 9}})
    record = chain_record(chain_of(spec), spec)
    numbers = sum(len(one) for one in vars(record).values() if isinstance(one, list))
    cost = run_cost(
        architecture_of(spec), steps=1, batch_size=1, mask_prob=0.2, n_sequences=64,
        levels=frozenset({"pooled"}), arrays=[], moments=1,
    )  # fmt: skip
    assert cost.chain_bytes == KEPT_PER_QUANTITY + 8 * numbers


@pytest.mark.parametrize(("width", "passes"), [(64, 1), (256, 3), (512, 6)])
def test_positions_take_turns_where_their_products_with_neighbours_do_not_fit(
    make_arch: Any, width: int, passes: int
) -> None:
    # nine layers have 17 products with themselves and the next; at width 512 seven of 32 positions
    # fit at a time: five turns, and one pass for what takes all positions
    arch = make_arch("mixer", width=width, depth=8, seq_len=32)
    found = measurement_passes(arch, {"position"})
    assert [one.masked for one in found] == [False] * (passes - 1) + [True]

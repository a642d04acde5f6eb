"""The time of a run out of counts and prices."""

from __future__ import annotations

from typing import Any

import pytest

from rgcore.cost import ShapeClass, model_name, run_cost
from rgcore.cost.learning import name_of
from rgcore.cost.prices import ONE_CORE
from rgcore.cost.training import batches_drawn
from rgcore.cost.work import SHARED, UNITS, modelled
from rgcore.network import MIXINGS

PLAN: dict[str, Any] = {
    "steps": 100,
    "batch_size": 32,
    "mask_prob": 0.25,
    "n_sequences": 1024,
    "moments": 1,
}
ARRAYS = [("layer",), ("layer", "dimension"), ()]
LARGER = [  # a field of the network or of the budget, and a larger value
    ("depth", 6), ("width", 64), ("hidden_ratio", 4.0), ("n_states", 64), ("seq_len", 64),
    ("steps", 101), ("batch_size", 33), ("n_sequences", 2048), ("moments", 2),
]  # fmt: skip


@pytest.fixture
def cost_of(make_arch: Any) -> Any:
    """The cost of a run; any field of network and budget can be given."""

    def of(mixing: Any = "context", **fields: Any) -> Any:
        budget = PLAN | {name: fields.pop(name) for name in PLAN if name in fields}
        arch = make_arch(mixing, **fields)
        return run_cost(arch, **budget, levels=frozenset(arch.mixes.levels), arrays=ARRAYS)

    return of


@pytest.mark.parametrize("mixing", MIXINGS)
@pytest.mark.parametrize(("field", "value"), LARGER)
def test_what_is_larger_takes_longer(cost_of: Any, mixing: Any, field: Any, value: Any) -> None:
    small, large = cost_of(mixing), cost_of(mixing, **{field: value})
    assert large.modelled().seconds > small.modelled().seconds
    assert all(large.counts[name] >= count for name, count in small.counts.items())


def test_the_seconds_are_each_count_at_its_price(cost_of: Any) -> None:
    counts = cost_of().counts
    assert set(counts) == set(UNITS) == set(ONE_CORE)
    for name, count in counts.items():
        alone = dict.fromkeys(UNITS, 0.0) | {name: 3.0}
        found = modelled(counts, alone)
        assert found.seconds == pytest.approx(3 * count)
        assert found.shape_class is UNITS[name]


@pytest.mark.parametrize("mixing", MIXINGS)
def test_a_step_more_costs_one_step(cost_of: Any, make_arch: Any, mixing: Any) -> None:
    drawn = batches_drawn(make_arch(mixing), PLAN["batch_size"])
    before, after = (cost_of(mixing, steps=n * drawn).counts for n in (4, 8))
    for name in ("step", "kernel", "token", "product"):
        in_training = after[name] - before[name]
        assert in_training > 0
        assert (cost_of(mixing, steps=12 * drawn).counts[name] - after[name]) == pytest.approx(
            in_training
        )
    assert after["step"] == 8 * drawn


def test_a_fleet_starts_its_steps_once_for_all(cost_of: Any) -> None:
    cost = cost_of()
    shared = sum(cost.counts[name] * ONE_CORE[name] for name in SHARED)
    own = cost.modelled().seconds - shared
    assert cost.modelled(fleet=8).seconds == pytest.approx(own + shared / 8)


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"steps": 5000, "n_sequences": 16, "batch_size": 1}, ShapeClass.CALLS),
        ({"steps": 5000, "batch_size": 8192, "width": 8}, ShapeClass.MEMORY),
        ({"steps": 5000, "batch_size": 512, "width": 1024}, ShapeClass.PRODUCTS),
        ({"steps": 1, "n_sequences": 16384}, ShapeClass.MEASURING),
    ],
)
def test_a_run_is_of_the_class_that_most_of_its_time_goes_into(
    cost_of: Any, fields: Any, found: Any
) -> None:
    assert cost_of(**fields).modelled().shape_class is found


def test_the_measurements_are_part_of_the_time(cost_of: Any) -> None:
    few, many = cost_of(steps=1), cost_of(steps=5000)
    assert 0 < many.measuring_share < few.measuring_share < 1 / 3


@pytest.mark.parametrize("name", UNITS)
def test_a_model_of_other_prices_has_another_name(name: str) -> None:
    assert name_of({**ONE_CORE, name: 1.01 * ONE_CORE[name]}) != model_name()
    assert name_of(dict(ONE_CORE)) == model_name()

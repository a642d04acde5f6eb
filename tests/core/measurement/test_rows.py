"""What a measurement finds is what the rows of `rgcontract.observables` say."""

from typing import Any

import pytest

from rgcontract import Mixing
from rgcontract.observables import (
    NETWORK,
    OBSERVABLES,
    OF_ALL_PAIRS,
    Axis,
    Need,
    measured_at,
    observables_at,
)
from rgcontract.observables import REASONS as MEANINGS
from rgcore.cost.passes import ALL_PAIRS
from rgcore.measurement import LEVELS_OF, REASONS
from rgcore.measurement.level import BY_POSITION
from rgcore.observables import registry
from rgworker.record import quantities

MIXINGS = ["context", "flat", "mixer", "window"]
SHAPES = {
    (Axis.LAYER,): registry.PER_LAYER,
    (Axis.LAYER, Axis.DIMENSION): registry.PER_DIMENSION,
    (Axis.TRANSITION,): registry.PER_TRANSITION,
    (Axis.LAYER, Axis.LAYER): registry.PER_PAIR,
}


@pytest.mark.parametrize("mixing", MIXINGS)
def test_every_level_has_the_observables_of_its_rows(
    network_of: Any, measured: Any, mixing: Any
) -> None:
    found = quantities("final", 1, measured(network_of(mixing)))
    there = sorted((one.level, one.quantity) for one in found)
    levels = (*LEVELS_OF[mixing], NETWORK)
    assert there == sorted(
        (level, row.name) for level in levels for row in observables_at(level, Mixing(mixing))
    )
    assert len(there) == len(measured_at(LEVELS_OF[mixing], Mixing(mixing)))


@pytest.mark.parametrize("mixing", MIXINGS)
def test_every_array_has_the_axes_of_its_row(network_of: Any, measured: Any, mixing: Any) -> None:
    arch = network_of(mixing).arch
    lengths = {
        Axis.LAYER: arch.depth + 1,
        Axis.TRANSITION: arch.depth,
        Axis.DIMENSION: arch.width,
        Axis.POSITION: arch.seq_len,
        Axis.MODE: arch.n_states - 1,
        Axis.LAG: arch.seq_len,
    }
    for one in quantities("final", 1, measured(network_of(mixing))):
        row = OBSERVABLES[one.quantity]
        assert one.shape == [lengths[axis] for axis in row.axes], one.quantity
        assert one.estimator == row.estimator


def test_every_registered_function_has_a_row_of_its_shape() -> None:
    for axes, table in SHAPES.items():
        assert all(OBSERVABLES[name].axes == axes for name in table)
        assert all(OBSERVABLES[name].needs is Need.MOMENTS for name in table)
    assert all(OBSERVABLES[name].needs is Need.MOMENTS for name in registry.OF_DRIFT)


def test_all_pairs_are_compared_where_the_rows_say_so() -> None:
    assert frozenset(OF_ALL_PAIRS) == ALL_PAIRS
    for row in OBSERVABLES.values():
        if row.axes == (Axis.LAYER, Axis.LAYER):
            assert set(row.levels) == ALL_PAIRS, row.name


def test_what_is_kept_by_position_has_rows() -> None:
    names = {row.name for row in OBSERVABLES.values() if Axis.POSITION in row.axes}
    assert names == {f"{name}_by_position" for name in BY_POSITION}


def test_every_reason_has_a_meaning() -> None:
    assert set(REASONS) == MEANINGS.keys()
    assert len(set(REASONS)) == len(REASONS)


@pytest.mark.parametrize("n", [1, 3, 16])
@pytest.mark.parametrize("mixing", MIXINGS)
def test_a_number_is_missing_for_a_reason_of_its_row(
    network_of: Any, measured: Any, mixing: Any, n: int
) -> None:
    for one in quantities("final", 1, measured(network_of(mixing), n_sequences=n)):
        assert one.reasons.keys() <= set(OBSERVABLES[one.quantity].reasons), one.quantity

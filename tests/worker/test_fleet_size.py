"""How many runs of a stored spec a worker trains together."""

from __future__ import annotations

from typing import Any

import pytest
from lab_processes import TINY

from rgcontract import ExperimentSpec
from rgstore.stored_specs import stored_spec
from rgworker.fleet_size import fleet_size
from rgworker.protocol import Ready

GPU = Ready(device="cuda: test", kind="cuda", memory=2**30, versions={}, calibration={})


def stored(**fields: Any) -> dict[str, Any]:
    return stored_spec(ExperimentSpec(**fields))


def test_a_small_network_on_a_large_device_goes_with_others() -> None:
    assert fleet_size(stored(**TINY), GPU, trainers=1, most=None) > 1


def test_the_operator_may_set_a_smaller_one() -> None:
    assert fleet_size(stored(**TINY), GPU, trainers=1, most=3) == 3


def test_the_operators_bound_makes_none_larger() -> None:
    wide = stored(model={"width": 1024, "depth": 64})
    assert fleet_size(wide, GPU, trainers=1, most=1024) == fleet_size(
        wide, GPU, trainers=1, most=None
    )


def test_trainers_share_the_memory() -> None:
    spec = stored(model={"width": 256})
    alone = fleet_size(spec, GPU, trainers=1, most=None)
    assert 2 * fleet_size(spec, GPU, trainers=2, most=None) == pytest.approx(alone, abs=2)


def test_a_spec_that_is_none_goes_alone() -> None:
    assert fleet_size({"chain": {"corr_len": -1}}, GPU, trainers=1, most=None) == 1

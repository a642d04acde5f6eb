"""The specs that forecasts are tried on, and how the prices behind them are found."""

from __future__ import annotations

import math
import random
from typing import Any, get_args

import numpy as np
import pytest

from benchmarks.forecasts import Case, Measured, cases, report, told
from benchmarks.prices import Timed, drawn, fitted, written
from rgcontract.networks import Mixing, Norm, Optimizer
from rgcore.architecture import Architecture
from rgcore.cost import Modelled, ShapeClass, Source
from rgcore.cost.counting import (
    measuring_counts,
    reference_counts,
    start_counts,
    training_counts,
)
from rgcore.cost.prices import ONE_CORE
from rgcore.cost.work import UNITS, Counts

NOISE = 0.2


def test_there_are_forty_specs_and_more_of_every_kind() -> None:
    found = cases()
    assert len({one.name for one in found}) == len(found) >= 40
    specs = [one.spec for one in found]
    assert {one.model.mixing for one in specs} == set(Mixing)
    assert {one.model.norm for one in specs} == set(get_args(Norm))
    assert {one.training.optimizer for one in specs} == set(get_args(Optimizer))
    assert {one.measurement.at for one in specs} == {"final", "log"}
    assert len({one.chain.family for one in specs}) >= 4
    assert {one.fleet for one in found} >= {1, 2, 8, 32}


def drawn_parts(n: int, prices: Counts) -> list[Timed]:
    """Parts of drawn specs that take what they cost at these prices, but for noise."""
    chance, noise = random.Random(1), np.random.default_rng(1)
    found = []
    for _ in range(n):
        spec = drawn(chance)
        arch, budget = Architecture(**spec.architecture), spec.budget
        step = {name: budget[name] for name in ("steps", "batch_size", "mask_prob")}
        some = {name: budget[name] for name in ("n_sequences", "mask_prob")}
        counted = {
            "start": start_counts(arch, numbers=1000),
            "train": training_counts(arch, **(step | {"steps": chance.choice([5, 20, 60])})),
            "reference": reference_counts(arch, **some),
            "measure": measuring_counts(arch, **some, levels=budget["levels"]),
        }
        for part, counts in counted.items():
            seconds = sum(count * prices[name] for name, count in counts.items())
            found.append(Timed(part, counts, seconds * noise.lognormal(sigma=NOISE)))
    return found


def test_the_prices_of_a_machine_are_found_from_its_times() -> None:
    machine = {name: price * (0.3 if UNITS[name] is ShapeClass.CALLS else 3.0)
               for name, price in ONE_CORE.items()}  # fmt: skip
    prices, errors = fitted(drawn_parts(600, machine))
    assert np.std(errors) == pytest.approx(NOISE, rel=0.2)
    for name in ("step", "kernel", "value", "product", "value64", "product64"):
        assert prices[name] == pytest.approx(machine[name], rel=0.3), name


def test_what_is_written_is_the_module_of_the_prices() -> None:
    names: dict[str, Any] = {}
    exec(written(ONE_CORE, 0.25, 100), names)
    assert names["ONE_CORE"] == pytest.approx(dict(ONE_CORE), rel=1e-2)
    assert names["SPREAD"] == 0.25


def ran(ratio: float, shape: ShapeClass = ShapeClass.CALLS, *, of: Case) -> Measured:
    return Measured(of, Modelled(1.0, shape), wall=ratio, processor=1.0)


def test_a_spec_is_forecast_from_the_others_alone() -> None:
    one, *_ = cases()
    found = [ran(5.0, of=one), *(ran(2.0, of=one) for _ in range(3))]
    first, *others = told(found, lambda row: row.wall)
    assert first.learnt == pytest.approx(2.0)
    assert not first.inside
    assert first.factor.source is Source.SHAPE
    assert all(row.learnt == pytest.approx(2.0) for row in others)


def test_the_report_counts_what_is_within_twice() -> None:
    one, *_ = cases()
    found = [ran(ratio, of=one) for ratio in (2.0, 2.0, 2.0, 2.0, math.e**2)]
    said = report(found)
    assert "By the clock, 4 of 5 are within 2x from the shipped prices and 4 as learnt" in said
    assert "By the time of the processor, 5 of 5 are" in said

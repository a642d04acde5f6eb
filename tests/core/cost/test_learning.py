"""What a lab learns of its speed from attempts whose law is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rgcore.cost import Sample, Source, factor
from rgcore.cost.learning import FEWEST, OF_MACHINES
from rgcore.cost.prices import SPREAD


def sample(ratios: object) -> Sample:
    """Of measured / modelled."""
    logs = np.log(np.asarray(ratios, dtype=float))
    return Sample(len(logs), *np.quantile(logs, [0.25, 0.5, 0.75]).tolist())


def test_without_attempts_it_is_one_core_about() -> None:
    found = factor(None, None)
    assert (found.middle, found.source, found.n) == (1.0, Source.DEFAULT, 0)
    assert math.log(found.high) == pytest.approx(-math.log(found.low))
    assert math.log(found.high) == pytest.approx(1.645 * OF_MACHINES)


@pytest.mark.parametrize("speed", [1e-3, 0.4, 1.0, 7.0])
def test_a_machine_of_another_speed_is_recovered(speed: float) -> None:
    noise = np.random.default_rng(0).lognormal(sigma=0.3, size=50)
    found = factor(sample(speed * noise), None)
    error = 0.3 * math.sqrt(math.pi / 2 / 50)  # of a median of 50
    assert abs(math.log(found.middle / speed)) < 3 * error
    assert found.source is Source.SHAPE


@pytest.mark.parametrize("n", [FEWEST, 10, 50])
@pytest.mark.parametrize("sigma", [0.5 * SPREAD, SPREAD, 2 * SPREAD])
def test_nine_in_ten_runs_fall_into_the_interval(n: int, sigma: float) -> None:
    chance = np.random.default_rng(1)
    inside = []
    for _ in range(2000):
        *seen, coming = chance.lognormal(mean=1.0, sigma=sigma, size=n + 1)
        found = factor(sample(seen), None)
        inside.append(found.low <= coming <= found.high)
    # few attempts are drawn towards the spread of the model: too wide below it, too narrow above
    least = 0.85 if sigma <= SPREAD or n == 50 else 0.65
    assert np.mean(inside) > least


def test_one_attempt_says_nothing() -> None:
    one = sample([1000.0])
    assert factor(one, one).source is Source.DEFAULT


def test_a_huge_outlier_hardly_moves_it() -> None:
    found = factor(sample([2.0] * 9 + [1e9]), None)
    assert found.middle == pytest.approx(2.0)
    assert found.high < 2.0 * math.exp(1.645 * 1.2 * SPREAD)


def test_attempts_that_agree_leave_the_error_of_the_model() -> None:
    found = factor(sample([2.0] * 50), None)
    assert math.log(found.high / 2.0) > 1.645 * SPREAD * math.sqrt(5 / 55)


def test_too_few_of_a_class_leave_it_to_the_others_of_the_backend() -> None:
    found = factor(sample([9.0] * (FEWEST - 1)), sample([3.0] * FEWEST))
    assert found.middle == pytest.approx(3.0)
    assert (found.source, found.n) == (Source.BACKEND, FEWEST)


def test_enough_of_a_class_go_before_all_others() -> None:
    found = factor(sample([9.0] * FEWEST), sample([3.0] * 40))
    assert found.middle == pytest.approx(9.0)
    assert found.source is Source.SHAPE

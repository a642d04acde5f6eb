from typing import Any

import numpy as np
import pytest

from rgcore.training import SCHEDULES, learning_rate

STEPS, PEAK = 1000, 0.02


def rates(schedule: Any, steps: Any = STEPS) -> Any:
    return np.array([learning_rate(schedule, step, steps, PEAK) for step in range(steps)])


def test_constant_is_the_peak_throughout() -> None:
    assert (rates("constant") == PEAK).all()


def test_cosine_is_half_a_period_from_the_peak() -> None:
    # sin^2 of the part still to do: the other form of (1 + cos) / 2
    expected = PEAK * np.sin(np.pi / 2 * np.arange(STEPS, 0, -1) / STEPS) ** 2
    np.testing.assert_allclose(rates("cosine"), expected, rtol=0, atol=1e-16 * 10)  # eps of 0.02


def test_cosine_passes_half_the_peak_half_way() -> None:
    assert learning_rate("cosine", 500, STEPS, PEAK) == pytest.approx(PEAK / 2, rel=1e-15)


def test_one_cycle_begins_at_a_25th_of_the_peak() -> None:
    assert rates("one_cycle")[0] == pytest.approx(PEAK / 25, rel=1e-14)  # 1 - 24/25, rounded


def test_one_cycle_has_its_peak_at_three_tenths() -> None:
    found = rates("one_cycle")
    assert found.argmax() == 300
    assert found[300] == PEAK


def test_one_cycle_is_half_way_up_at_half_its_warm_up() -> None:
    middle = (PEAK / 25 + PEAK) / 2
    assert learning_rate("one_cycle", 150, STEPS, PEAK) == pytest.approx(middle, rel=1e-14)


def test_one_cycle_is_half_way_down_at_half_the_rest() -> None:
    assert learning_rate("one_cycle", 650, STEPS, PEAK) == pytest.approx(PEAK / 2, rel=1e-14)


def test_one_cycle_rises_then_falls() -> None:
    change = np.diff(rates("one_cycle"))
    assert (change[:300] > 0).all()
    assert (change[300:] < 0).all()


@pytest.mark.parametrize(("schedule", "falling"), [("cosine", 1000), ("one_cycle", 700)])
def test_last_step_is_almost_zero_and_above_it(schedule: str, falling: int) -> None:
    # the first term of the cosine there: (pi / 2 / falling)^2
    expected = PEAK * (np.pi / 2 / falling) ** 2
    assert rates(schedule)[-1] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("steps", [1, 2, 3, 7])
def test_short_trainings_have_a_rate_at_every_step(schedule: Any, steps: int) -> None:
    found = rates(schedule, steps)
    assert (found > 0).all()
    assert (found <= PEAK).all()

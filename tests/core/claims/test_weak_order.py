"""From which tau on a rank that falls is at best weakly ordered by depth."""

from typing import Any

import numpy as np
import pytest

from rgcore.claims import monotone_collapse

UNTRAINED = np.full((12, 5), 10.0)
FALLING_PAIRS = {  # of ten
    6: [10.0, 3.0, 5.0, 6.0, 4.0],
    7: [10.0, 4.0, 5.0, 6.0, 3.0],
    8: [10.0, 4.0, 6.0, 5.0, 3.0],
    9: [10.0, 5.0, 6.0, 4.0, 3.0],
}


def finding(*falling: Any) -> Any:
    """Of seeds with so many falling pairs; the last layer differs a little from seed to seed."""
    profiles = np.array([FALLING_PAIRS[falling[seed % len(falling)]] for seed in range(12)])
    return monotone_collapse(profiles * np.linspace(1.0, 1.1, 12)[:, None], UNTRAINED)


def test_three_pairs_in_ten_the_wrong_way_round_refute() -> None:
    found = finding(7, 7, 7, 6)  # tau -0.4 and -0.2
    assert found.verdict == "refuted"
    assert "weakly ordered" in found.reason


def test_two_pairs_in_ten_the_wrong_way_round_do_not() -> None:
    assert finding(8, 8, 8, 9).verdict != "refuted"  # tau -0.6 and -0.8


@pytest.mark.parametrize("falling", FALLING_PAIRS)
def test_profiles_have_the_pairs_they_are_named_after(falling: Any) -> None:
    values = np.array(FALLING_PAIRS[falling])
    first, second = np.triu_indices(5, 1)
    assert (values[second] < values[first]).sum() == falling

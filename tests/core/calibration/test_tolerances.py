"""A tolerance is what its reason says it is, and no more."""

import re
from typing import Any

import pytest

from rgcore.calibration import calibrate

CHECKS = calibrate()
ROUNDING = {
    "float64 sums": 1e-10,
    "float64 singular values, entropy of 16 of them": 1e-8,
    "float32": 1e-6,
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_tolerance_is_rounding_or_three_deviations_and_the_bias(check: Any) -> None:
    said = r"three standard deviations \(([\d.]+)\) and the bias \(([\d.]+)\)"
    if found := re.match(said, check.reason):
        deviation, bias = map(float, found.groups())
        assert check.tolerance == pytest.approx(3 * deviation + bias, rel=0.02)  # two digits
    else:
        assert check.tolerance == ROUNDING[check.reason]

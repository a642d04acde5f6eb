"""A tolerance is what its reason says it is, and no more."""

from __future__ import annotations

import re

import pytest

from rgcore.calibration import Check

ROUNDING = {
    "float64 sums": 1e-10,
    "float64 singular values, entropy of 16 of them": 1e-8,
    "float32": 1e-6,
}


def test_a_tolerance_is_rounding_or_three_deviations_and_the_bias(checks: list[Check]) -> None:
    assert [check for check in checks if check.tolerance != _said(check.reason)] == []


def _said(reason: str) -> object:
    measured = r"three standard deviations \(([\d.]+)\) and the bias \(([\d.]+)\)"
    if found := re.match(measured, reason):
        deviation, bias = map(float, found.groups())
        return pytest.approx(3 * deviation + bias, rel=0.02)  # two digits
    return ROUNDING[reason]

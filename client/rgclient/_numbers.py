"""Numbers as people read them: with their error, to the digits that mean something."""

from __future__ import annotations

import math


def with_error(mean: float, standard_error: float) -> str:
    """`7.31 ± 0.12`: the error to two digits, the mean to the same place."""
    if math.isnan(mean):
        return "not defined"
    if math.isnan(standard_error):
        return f"{mean:.4g} ± ?"
    if standard_error == 0:
        return f"{mean:.4g} ± 0"
    places = max(0, min(10, 1 - math.floor(math.log10(standard_error))))
    return f"{mean:.{places}f} ± {standard_error:.{places}f}"


def number(value: float) -> str:
    """A number in a table; `-` where there is none."""
    return "-" if math.isnan(value) else f"{value:.5g}"


def count(number: int, noun: str) -> str:
    """`1 seed`, `2 seeds`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def percent(part: float) -> str:
    """`42 %`; what is little and not nothing is `under 1 %`."""
    return f"{100 * part:.0f} %" if part >= 0.01 else "under 1 %"

"""What a line is drawn from: a quantity by layer, with its error and interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from rgcontract import Result
from rgcontract.measured import estimate


@dataclass(frozen=True)
class Series:
    """A number for each layer, or transition, of a network; nan where it is not defined."""

    mean: list[float]
    standard_error: list[float]
    low: list[float]
    high: list[float]


def series(result: Result, quantity: str, level: str, when: str = "final") -> Series:
    """A quantity that has one number for each layer.

    Raises:
        NotThere: it was not measured.
    """
    found = estimate(result, quantity, level, when)
    (length,) = found.shape
    return Series(
        *(
            _floats(getattr(found, name), length)
            for name in ("mean", "standard_error", "low", "high")
        )
    )


def _floats(values: Any, length: int) -> list[float]:
    return [math.nan if value is None else float(value) for value in values or [None] * length]

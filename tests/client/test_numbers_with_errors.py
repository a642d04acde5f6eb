"""Numbers as people read them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from rgclient._numbers import count, number, with_error


@pytest.mark.parametrize(
    ("mean", "error", "text"),
    [
        (7.3123, 0.1234, "7.31 ± 0.12"),
        (7.3123, 1.2, "7.3 ± 1.2"),
        (7312.3, 123.4, "7312 ± 123"),
        (0.00012345, 0.0000012, "0.0001234 ± 0.0000012"),
        (1.5, 0.0, "1.5 ± 0"),
        (1.5, math.nan, "1.5 ± ?"),
        (math.nan, math.nan, "not defined"),
    ],
)
def test_a_mean_has_the_digits_that_its_error_leaves(mean: Any, error: Any, text: str) -> None:
    assert with_error(mean, error) == text


def test_a_number_that_is_not_there_is_a_dash() -> None:
    assert number(math.nan) == "-"


@pytest.mark.parametrize(("n", "text"), [(0, "0 seeds"), (1, "1 seed"), (2, "2 seeds")])
def test_a_count_has_its_plural(n: int, text: str) -> None:
    assert count(n, "seed") == text

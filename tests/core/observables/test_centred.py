"""Rows made ready for an observable: free of offset and scale."""

from __future__ import annotations

import numpy as np
import pytest

from rgcore.observables.centring import centred

ROWS = np.array([[0.1, 1.0], [0.1, 0.5], [0.1, 0.0]])
"""The mean of three 0.1 is 0.10000000000000002."""


@pytest.mark.parametrize("scale", [1.0, 2.0**600, 2.0**-600])
def test_a_column_that_does_not_change_is_exactly_zero_whatever_its_value(scale: float) -> None:
    found = centred(ROWS * scale)
    assert found is not None
    assert found.tolist() == [[0.0, 1.0], [0.0, 0.0], [0.0, -1.0]]


def test_rows_that_are_all_the_same_are_none() -> None:
    assert centred(np.full((3, 2), 0.1)) is None
    assert centred(ROWS[:, :1]) is None

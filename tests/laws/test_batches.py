"""Moments add up whatever the batches, a last one of one row included."""

from typing import Any

import numpy as np
import pytest

from rgcontract.observables import OBSERVABLES, Law, Need

ROWS = [
    row
    for row in OBSERVABLES.values()
    if Law.BATCHES in row.laws and row.needs is not Need.LOGITS and row.estimator
]


@pytest.fixture(scope="module")
def changed(read: Any, streams: Any, sequences: Any) -> Any:
    return read(streams, sequences, (39, 1, 7, 33, 40, 1, 38, 1))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_size_of_batches_changes_rounding_alone(row: Any, plain: Any, changed: Any) -> None:
    assert np.isfinite(plain[row.name]).all()
    # the same float64 sums in another order: 1e-12 of a sum, some hundred times that of a ratio
    np.testing.assert_allclose(changed[row.name], plain[row.name], rtol=1e-9, atol=1e-9)

"""One vector added to all rows, far beyond their spread, is no variance."""

from typing import Any

import numpy as np
import pytest
import torch

from rgcontract.observables import OBSERVABLES, Law, Need

ROWS = [
    row
    for row in OBSERVABLES.values()
    if Law.OFFSET in row.laws and row.needs is not Need.LOGITS and row.estimator
]


@pytest.fixture(scope="module")
def changed(read: Any, streams: Any, sequences: Any) -> Any:
    return read(streams + 1e4 * torch.tensor([1.0, -1.0, 1.0, 0.5]), sequences)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_an_offset_of_1e4_changes_rounding_alone(row: Any, plain: Any, changed: Any) -> None:
    assert np.isfinite(plain[row.name]).all()
    # a row keeps 1e4 x 2e-16 = 2e-12 of its entries of order 1: some thousand times that
    np.testing.assert_allclose(changed[row.name], plain[row.name], rtol=1e-8, atol=1e-8)

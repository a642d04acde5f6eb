"""Another orthonormal basis of each layer is the same layer."""

from typing import Any

import numpy as np
import pytest
import torch

from rgcontract.observables import OBSERVABLES, Law, Need

ROWS = [
    row
    for row in OBSERVABLES.values()
    if Law.ROTATION in row.laws and row.needs is not Need.LOGITS and row.estimator
]


@pytest.fixture(scope="module")
def changed(read: Any, streams: Any, sequences: Any) -> Any:
    drawn = np.random.default_rng(1).normal(size=(len(streams), 4, 4))
    turns = torch.from_numpy(np.linalg.qr(drawn)[0])  # (K, d, d)
    return read(streams @ turns[:, None], sequences)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_rotation_of_each_layer_changes_rounding_alone(
    row: Any, plain: Any, changed: Any
) -> None:
    assert np.isfinite(plain[row.name]).all()
    # a thousand float64 products of order 10: 1e-12 of a sum, some hundred times that of a ratio
    np.testing.assert_allclose(changed[row.name], plain[row.name], rtol=1e-9, atol=1e-9)

"""Another order of the sequences is the same sample."""

from typing import Any

import numpy as np
import pytest
import torch

from rgcontract.observables import OBSERVABLES, Law, Need
from rgcore.training.data import Batch

ROWS = [
    row
    for row in OBSERVABLES.values()
    if Law.PERMUTATION in row.laws and row.needs is not Need.LOGITS and row.estimator
]


@pytest.fixture(scope="module")
def changed(read: Any, streams: Any, sequences: Any) -> Any:
    order = torch.from_numpy(np.random.default_rng(2).permutation(streams.shape[1]))
    parts = (part[order] for part in (sequences.tokens, sequences.mask, sequences.inputs))
    return read(streams[:, order], Batch(*parts))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_another_order_of_the_sequences_changes_rounding_alone(
    row: Any, plain: Any, changed: Any
) -> None:
    assert np.isfinite(plain[row.name]).all()
    # a thousand float64 products of order 10: 1e-12 of a sum, some hundred times that of a ratio
    np.testing.assert_allclose(changed[row.name], plain[row.name], rtol=1e-9, atol=1e-9)


OTHERS = [
    row
    for row in OBSERVABLES.values()
    if Law.PERMUTATION not in row.laws and row.needs is Need.LABELS
]


@pytest.mark.parametrize("row", OTHERS, ids=lambda row: row.name)
def test_what_is_fitted_on_a_half_depends_on_which(row: Any, plain: Any, changed: Any) -> None:
    assert np.abs(changed[row.name] - plain[row.name]).max() > 1e-6

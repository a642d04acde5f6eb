"""A layer compared with itself has not changed."""

from typing import Any

import numpy as np
import pytest

from rgcontract.observables import OBSERVABLES

ROWS = [row for row in OBSERVABLES.values() if row.on_itself is not None]


@pytest.mark.parametrize("offset", [0.0, 1e4])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_all_layers_the_same_are_no_change(
    row: Any, offset: float, read: Any, streams: Any, sequences: Any
) -> None:
    same = streams[:1].expand(len(streams), -1, -1, -1) + offset
    found = read(same, sequences)[row.name]
    np.testing.assert_allclose(found, row.on_itself, rtol=0, atol=row.resolution)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_other_layers_are_told_apart_from_it(row: Any, plain: Any) -> None:
    found = plain[row.name]
    if found.ndim == 2 and found.shape[0] == found.shape[1]:
        found = found[np.triu_indices(len(found), 1)]
    assert (np.abs(found - row.on_itself) > 1000 * row.resolution).all()

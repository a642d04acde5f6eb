"""A part of a flat array has the numbers that the same part of the nested one has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rgstore.damaged import DamagedRecordError
from rgstore.records import Summary
from rgstore.slicing import Part

LAYERS = [1, 3, 4]
BOTH_THERE = [3]
"""Of the changes from a layer to the next: 3 to 4."""
ARRAYS = {
    # observable: its shape, and what is kept of each index
    "effective_rank": ((5,), (LAYERS,)),
    "kernel_drift": ((4,), (BOTH_THERE,)),
    "spectrum": ((5, 3), (LAYERS, range(3))),
    "effective_rank_by_position": ((2, 5), (range(2), LAYERS)),
    "cka": ((5, 5), (LAYERS, LAYERS)),
    "relevance_eigenvectors_ceiling": ((3,), (range(3),)),
    "loss": ((), ()),
    "of another release": ((5,), (range(5),)),
}


def _summary(name: str, shape: Any, values: Any) -> Summary:
    places = {"constant_layer": list(range(0, len(values), 2))}
    return Summary(
        "final", "pooled", name, 3, 64, "plug-in", list(shape), 2, values, values, values, values,
        None, places,
    )  # fmt: skip


@pytest.mark.parametrize("name", ARRAYS)
def test_a_part_has_the_numbers_of_its_layers(name: str) -> None:
    shape, kept = ARRAYS[name]
    whole = np.arange(np.prod(shape, dtype=int), dtype=float).reshape(shape)
    wanted = whole[np.ix_(*kept)] if kept else whole
    found = Part.of(name, shape, LAYERS).summary(_summary(name, shape, whole.ravel().tolist()))
    assert found.shape == list(wanted.shape)
    assert found.mean == found.low == wanted.ravel().tolist()
    missing = [found.mean[place] for place in found.reasons.get("constant_layer", [])]
    assert missing == [value for value in found.mean if value % 2 == 0]


@pytest.mark.parametrize("name", ARRAYS)
def test_of_no_layers_in_particular_there_are_all(name: str) -> None:
    shape = ARRAYS[name][0]
    summary = _summary(name, shape, [0.5] * int(np.prod(shape, dtype=int)))
    assert Part.of(name, shape, None).summary(summary) == summary


@pytest.mark.parametrize(
    ("shape", "values"), [([5, 3], [1.0] * 14), ([10**9, 10**9], [1.0]), ([5, 3], [None] * 15)]
)
def test_an_array_that_is_not_of_its_shape_is_damaged(shape: Any, values: Any) -> None:
    with pytest.raises(DamagedRecordError):
        Part.of("spectrum", shape, [1]).values(values)


def test_so_is_one_of_no_shape() -> None:
    with pytest.raises(DamagedRecordError):
        Part.of("spectrum", [None, 3], None)  # type: ignore[list-item]

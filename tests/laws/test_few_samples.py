"""Few samples move a number to the side that its row says."""

from typing import Any

import numpy as np
import pytest
import torch

from rgcontract.observables import OBSERVABLES, OF_INDEPENDENT, Axis, Tends
from rgcore.measurement import Moments
from rgcore.measurement.observe import observe

ROWS = [
    row for row in OBSERVABLES.values() if row.tends is not None and Axis.POSITION not in row.axes
]
DRAWS, N = 400, 60
EPS = float(np.finfo(np.float64).eps)


@pytest.fixture(scope="module")
def drawn() -> Any:
    """Every observable of independent normal layers, (DRAWS, ...)."""
    rows = np.random.default_rng(0).normal(size=(DRAWS, N, 3, OF_INDEPENDENT))
    moments = Moments(3, DRAWS, OF_INDEPENDENT, torch.device("cpu"))
    for layer in range(3):
        moments.add(layer, torch.from_numpy(rows[:, :, layer]))
    return observe(moments, EPS).arrays


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_bias_is_to_the_side_that_is_said(row: Any, drawn: Any) -> None:
    found = drawn[row.name]
    if row.axes == (Axis.LAYER, Axis.LAYER):
        found = found[:, 0, 1:]  # of different layers
    found = found.reshape(DRAWS, -1).mean(axis=1)
    error = found.std(ddof=1) / np.sqrt(DRAWS)
    bias = found.mean() - row.of_independent
    if row.tends is Tends.LOW:
        assert bias < -5 * error
    elif row.tends is Tends.HIGH:
        assert bias > 5 * error
    else:  # of order 1/n of the number itself, or of one where that is below one
        assert abs(bias) < 5 * error + max(row.of_independent, 1.0) / N

"""What the core raises goes from one process to another as it is."""

from __future__ import annotations

import pickle

import pytest

from rgcore.chain import ChainError
from rgcore.measurement.levels import LevelError
from rgcore.training import DivergedError

ERRORS = [
    ChainError("corr_len", -1.0, "0 or more"),
    ChainError(field="corr_len", value=-1.0, allowed="0 or more", reason="it is negative"),
    DivergedError(7, float("inf")),
    DivergedError(step=7, loss=float("inf")),
    LevelError("flat", "token", ("sequence",)),
    LevelError(mixing="flat", level="token", allowed=("sequence",)),
]


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_an_error_outlives_its_process_however_it_was_made(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)

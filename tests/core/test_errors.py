"""What the core raises goes from one process to another as it is."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from rgcore.chain import ChainError
from rgcore.measurement.levels import LevelError
from rgcore.training import DivergedError

ERRORS: list[tuple[Any, dict[str, Any]]] = [
    (ChainError, {"field": "corr_len", "value": -1.0, "allowed": "0 or more", "reason": "why"}),
    (DivergedError, {"step": 7, "loss": 1e300}),
    (LevelError, {"mixing": "flat", "level": "token", "allowed": ("sequence",)}),
]


@pytest.mark.parametrize(("kind", "said"), ERRORS)
def test_an_error_outlives_its_process_however_it_was_made(kind: Any, said: Any) -> None:
    for error in (kind(*said.values()), kind(**said)):
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is kind
        assert str(again) == str(error)
        assert vars(again) == vars(error)

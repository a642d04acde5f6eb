"""Architectures of all kinds."""

from __future__ import annotations

from typing import Any

import pytest

from rgcore.architecture import Architecture


@pytest.fixture
def make_arch() -> Any:
    """A small architecture; every field can be given."""

    def make(mixing: Any, **fields: Any) -> Any:
        small: dict[str, Any] = {
            "n_states": 8,
            "seq_len": 16,
            "context": 2,
            "depth": 3,
            "width": 16,
            "hidden_ratio": 2.0,
            "activation": "gelu",
            "norm": "layer",
            "residual_scale": 1.0,
            "init_scale": 1.0,
        }
        return Architecture(mixing=mixing, **(small | fields))

    return make

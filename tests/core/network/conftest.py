from typing import Any

import pytest

from rgcore.network import Architecture


@pytest.fixture
def make_arch() -> Any:
    """A small architecture; every field can be given."""

    def make(mixing: Any, **fields: Any) -> Any:
        small: dict[str, Any] = {
            "n_states": 4,
            "seq_len": 9,
            "context": 2,
            "depth": 3,
            "width": 8,
            "hidden_ratio": 1.5,
            "activation": "gelu",
            "norm": "layer",
            "residual_scale": 1.0,
            "init_scale": 1.0,
        }
        return Architecture(mixing=mixing, **(small | fields))

    return make

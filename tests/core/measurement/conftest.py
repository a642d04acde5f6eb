"""A small network of each mixing, and what a measurement of it is asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from devices import DEVICE

from rgcore.chain import make_chain
from rgcore.measurement import LEVELS_OF, measure
from rgcore.network import Architecture, build_network
from rgcore.random import derive_generator

N_STATES, SEQ_LEN, N_SEQUENCES, MASK_PROB, SEED = 4, 8, 128, 0.3, 5


@pytest.fixture
def chain() -> Any:
    """A drift round a ring: eigenvalues in complex pairs, and no detailed balance."""
    step = 0.05 + 0.6 * np.roll(np.eye(N_STATES), 1, axis=1) + 0.2 * np.eye(N_STATES)
    return make_chain("explicit", matrix=step)


@pytest.fixture
def network_of() -> Any:
    """Networks in float64, so that what is left of a difference is rounding."""

    def build(mixing: Any, **changes: Any) -> Any:
        settings = {
            "n_states": N_STATES,
            "seq_len": SEQ_LEN,
            "mixing": mixing,
            "context": 2,
            "depth": 2,
            "width": 5,
            "hidden_ratio": 2.0,
            "activation": "tanh",
            "norm": "layer",
            "residual_scale": 1.0,
            "init_scale": 1.0,
        }
        arch = Architecture(**{**settings, **changes})
        return build_network(arch, derive_generator(0, "init")).double().to(DEVICE)

    return build


@pytest.fixture
def measured(chain: Any) -> Any:
    """Measure a network at all its levels."""

    def run(network: Any, of: Any = chain, **changes: Any) -> Any:
        settings = {
            "seq_len": network.arch.seq_len,
            "n_sequences": N_SEQUENCES,
            "mask_prob": MASK_PROB,
            "levels": LEVELS_OF[network.arch.mixing],
            "seed": SEED,
        }
        return measure(network, of, **{**settings, **changes})

    return run

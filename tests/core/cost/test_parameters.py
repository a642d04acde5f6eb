"""Parameters in closed form against the weights that torch holds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rgcore.architecture import ACTIVATIONS, NORMS, Architecture
from rgcore.cost import parameter_count
from rgcore.mixing import MIXINGS
from rgcore.network import build_network
from rgcore.random import derive_generator

ARCHITECTURES = st.builds(
    Architecture,
    n_states=st.integers(1, 40),
    seq_len=st.integers(1, 20),
    mixing=st.sampled_from(sorted(MIXINGS)),
    context=st.integers(0, 5),
    depth=st.integers(1, 4),
    width=st.integers(1, 24),
    hidden_ratio=st.floats(0.25, 8),
    activation=st.sampled_from(ACTIVATIONS),
    norm=st.sampled_from(sorted(NORMS)),
    residual_scale=st.just(1.0),
    init_scale=st.just(1.0),
)


@settings(max_examples=150, deadline=None)
@given(ARCHITECTURES)
def test_the_count_is_that_of_the_weights(arch: Any) -> None:
    weights = build_network(arch, derive_generator(0, "init")).parameters()
    assert parameter_count(arch) == sum(weight.numel() for weight in weights)


@pytest.mark.parametrize("norm", NORMS)
def test_norms_of_the_default_network_are_counted(make_arch: Any, norm: Any) -> None:
    arch = make_arch("context", norm=norm, width=64, depth=8)
    bare = make_arch("context", norm="none", width=64, depth=8)
    more = {"none": 0, "rms": 9 * 64, "layer": 2 * 9 * 64}[norm]  # of 8 blocks and the read-out
    assert parameter_count(arch) - parameter_count(bare) == more

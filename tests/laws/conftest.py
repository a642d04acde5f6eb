"""Streams of made-up layers, and every observable of them by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from rgcore.chain import make_chain
from rgcore.measurement import Moments
from rgcore.measurement.correlation import StreamCorrelation
from rgcore.measurement.level import of_one_group, of_positions
from rgcore.measurement.observe import observe
from rgcore.measurement.relevance import WHOLE, Relevance
from rgcore.network import Architecture
from rgcore.random import derive_generator
from rgcore.training.data import Batch, masked_block

K, N, T, D, V = 3, 160, 7, 4, 4
CPU = torch.device("cpu")
EPS = float(np.finfo(np.float64).eps)
ARCH = Architecture(
    n_states=V, seq_len=T, mixing="context", context=3, depth=K - 1, width=D, hidden_ratio=1.0,
    activation="tanh", norm="layer", residual_scale=1.0, init_scale=1.0,
)  # fmt: skip
CHAIN = make_chain("random_reversible", V, 3.0)


@pytest.fixture(scope="session")
def sequences() -> Any:
    """N masked sequences of a chain."""
    return masked_block(CHAIN, N, T, 0.3, derive_generator(0, "laws"))


@pytest.fixture(scope="session")
def streams(sequences: Any) -> Any:
    """(K, N, T, d): layers that see the tokens, share some of it, and remember along T."""
    rng = np.random.default_rng(0)
    seen = rng.normal(size=(V, D))[sequences.tokens.numpy()]
    noise = rng.normal(size=(K, N, T, D)).cumsum(axis=2)
    scales = np.array([4.0, 2.0, 1.0, 0.5])
    return torch.from_numpy((seen + 0.3 * noise.cumsum(axis=0)) * scales + 1.0)


@pytest.fixture(scope="session")
def read() -> Any:
    """Every observable of streams (K, N, T, d) by name; `sizes` are of the batches."""

    def every(streams: Any, sequences: Any, sizes: Any = (N // 4,) * 4) -> Any:
        token, position = (Moments(K, groups, D, CPU) for groups in (1, T))
        correlation = StreamCorrelation(K, T, D, CPU, EPS)
        relevance = Relevance(ARCH, CHAIN, CPU, EPS)
        begin = 0
        for size in sizes:
            rows = slice(begin, begin + size)
            relevance.begin(4 * begin // N, Batch(*(part[rows] for part in _parts(sequences))))
            for layer, stream in enumerate(streams[:, rows]):
                token.add(layer, stream.flatten(0, 1)[None])
                position.add(layer, stream.transpose(0, 1))
                correlation.add(layer, stream)
                relevance.add(layer, stream)
            begin += size
        by_position = of_positions(observe(position, EPS, all_pairs=False), slice(2, 5)).arrays
        return (
            {name: array for name, array in by_position.items() if name.endswith("_by_position")}
            | of_one_group(observe(token, EPS)).arrays
            | correlation.observed().arrays
            | relevance.observed(WHOLE).arrays
        )

    return every


def _parts(sequences: Any) -> Any:
    return sequences.tokens, sequences.mask, sequences.inputs


@pytest.fixture(scope="session")
def plain(read: Any, streams: Any, sequences: Any) -> Any:
    """Every observable of the streams as they are."""
    return read(streams, sequences)

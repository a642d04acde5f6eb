"""The contenders do the same work."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.cka_race import exactly, streamed
from benchmarks.peer_loops import masked_loop, plain_loop
from benchmarks.peer_network import PeerNetwork
from benchmarks.peers import peer
from benchmarks.race import RefusedError
from benchmarks.shapes import Shape
from rgcore.training import train

TINY = Shape("S", depth=2, width=8, n_states=4, seq_len=8)
ROUNDING = 1e-4
"""Of float32 sums in another order, after a few steps of training."""


@pytest.fixture(scope="module")
def problem() -> Any:
    return TINY.problem(steps=6)


def test_the_peer_network_is_the_network_with_other_code(problem: Any) -> None:
    network = problem.network(0)
    inputs = torch.randint(0, 5, (3, 8), generator=torch.Generator().manual_seed(0))
    peer_network = PeerNetwork(network)
    with torch.no_grad():
        found = peer_network(peer_network.windows(inputs))
        torch.testing.assert_close(found, network(inputs), rtol=ROUNDING, atol=1e-5)


@pytest.mark.parametrize("loop", [plain_loop, masked_loop])
def test_a_peer_loop_has_the_losses_of_the_training_loop(problem: Any, loop: Any) -> None:
    network = problem.network(0)
    peer_network = PeerNetwork(network)
    trace = train(network, problem.chain, problem.plan, 0, seq_len=8)
    assert loop(peer_network, problem, 0) == pytest.approx(trace.losses.tolist(), rel=ROUNDING)


def layers() -> Any:
    generator = torch.Generator().manual_seed(0)
    linear = torch.nn.Linear(128, 128)
    torch.nn.init.normal_(linear.weight, generator=generator)
    network = torch.nn.Sequential(torch.nn.Identity(), linear, *(torch.nn.Tanh() for _ in range(7)))
    return network, torch.randn(40, 128, generator=generator)


def test_the_reference_is_the_definition_on_gram_matrices() -> None:
    network, rows = layers()
    n, grams, stream = len(rows), [], rows
    for module in network:
        stream = module(stream)
        layer = stream.detach().double().numpy()
        grams.append((layer @ layer.T) * (1 - np.eye(n)))

    def hsic(k: Any, m: Any) -> Any:
        one = np.ones(n)
        of_sums = (one @ k @ one) * (one @ m @ one) / ((n - 1) * (n - 2))
        return np.trace(k @ m) + of_sums - 2 / (n - 2) * (one @ k @ m @ one)

    expected = [[hsic(k, m) / np.sqrt(hsic(k, k) * hsic(m, m)) for m in grams] for k in grams]
    np.testing.assert_allclose(exactly(network, rows), expected, rtol=1e-9)


def test_the_streamed_matrix_is_the_reference() -> None:
    network, rows = layers()
    np.testing.assert_allclose(streamed(network, rows), exactly(network, rows), atol=1e-9)


def test_a_peer_that_is_missing_says_what_to_install() -> None:
    with pytest.raises(RefusedError, match=r"no such-package: .*pip install -e '\.\[bench\]'"):
        peer("no_such_module", "such-package")

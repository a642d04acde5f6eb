"""A measurement leaves the network as it was, and does not depend on the batches it reads."""

import random
from typing import Any

import numpy as np
import pytest
import torch

from rgcontract.observables import OBSERVABLES, Law, Need
from rgcore.chain import make_chain
from rgcore.measurement import LEVELS_OF, measure
from rgcore.network import MIXINGS, Architecture, build_network
from rgcore.random import derive_generator
from rgworker.record import quantities

LOSSES = [
    row for row in OBSERVABLES.values() if row.needs is Need.LOGITS and Law.BATCHES in row.laws
]


def network_of(mixing: Any) -> Any:
    arch = Architecture(
        n_states=4, seq_len=7, mixing=mixing, context=2, depth=2, width=4, hidden_ratio=1.0,
        activation="tanh", norm="layer", residual_scale=1.0, init_scale=1.0,
    )  # fmt: skip
    return build_network(arch, derive_generator(0, "init")).double()


def measured(network: Any, **how: Any) -> Any:
    return measure(
        network, make_chain("potts", 4, 3.0), seq_len=7, n_sequences=65, mask_prob=0.3,
        levels=LEVELS_OF[network.arch.mixing], seed=1, **how,
    )  # fmt: skip


def state_of(network: Any) -> Any:
    """Weights, buffers, gradients, modes and every generator that could be drawn from, as bytes."""
    drawn_from = np.random.get_state(legacy=False)  # noqa: NPY002 - the global one is looked at
    tensors = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    return (
        {name: tensor.detach().numpy().tobytes() for name, tensor in tensors.items()},
        {name: tensor.grad for name, tensor in network.named_parameters()},
        {name: part.training for name, part in network.named_modules()},
        torch.get_rng_state().numpy().tobytes(),
        drawn_from["state"]["key"].tobytes(),
        random.getstate(),
        torch.is_grad_enabled(),
    )


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("mixing", MIXINGS)
def test_the_network_and_all_random_state_are_as_they_were(mixing: Any, training: bool) -> None:
    network = network_of(mixing).train(training)
    before = state_of(network)
    measured(network)
    assert state_of(network) == before


@pytest.fixture(scope="module")
def of_sizes() -> Any:
    """Numbers of one network from batches of 64 sequences and one, and of 13."""
    found = [measured(network_of("context"), batch_size=size) for size in (64, 13)]
    return [{one.quantity: one.values for one in quantities("final", 1, each)} for each in found]


@pytest.mark.parametrize("row", LOSSES, ids=lambda row: row.name)
def test_losses_add_up_whatever_the_batches(row: Any, of_sizes: Any) -> None:
    first, second = of_sizes
    # some hundred float64 losses of order 1, divided by a gap of order 0.1
    np.testing.assert_allclose(first[row.name], second[row.name], rtol=1e-11, atol=1e-12)

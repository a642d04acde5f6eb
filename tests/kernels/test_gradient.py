"""The gradient of the kernels beside torch's in float64."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch.nn import functional

from rgcore.architecture import ACTIVATIONS, NORMS
from rgcore.fleet.lockstep import member_stream
from rgkernels.network import NativeNetwork

CLOSE = 1e-6
"""Of the norm of the gradient. Float32 rounds to 6e-8; sums over up to 600 rows and 500 units make
2e-7 to 4e-7 of it in torch, up to twice that in the kernels, whose sums are not split."""
SHAPES: dict[str, dict[str, Any]] = {
    "one tile of whole vectors": {"width": 16, "hidden_ratio": 4.0, "n_states": 16},
    "padding everywhere": {"width": 5, "hidden_ratio": 1.7, "n_states": 7},
    "several tiles": {"seq_len": 40, "n_states": 5, "width": 20},
    "many vectors": {"width": 70, "hidden_ratio": 1.9, "depth": 1, "n_states": 33},
}
HOSTILE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "width 1": ({"width": 1, "norm": "none"}, {}),
    "width 2": ({"width": 2}, {}),
    "one hidden unit": ({"hidden_ratio": 0.01}, {}),
    "2 states": ({"n_states": 2}, {}),
    "1,024 states": ({"n_states": 1024, "seq_len": 3}, {"batch_size": 2}),
    "context 0": ({"context": 0}, {}),
    "a context beyond the sequence": ({"context": 9}, {}),
    "depth 1": ({"depth": 1}, {}),
    "one row": ({"seq_len": 1}, {"batch_size": 1, "mask_prob": 1.0}),
    "all rows": ({}, {"mask_prob": 1.0}),
    "large weights": ({"init_scale": 30.0}, {}),
    "small weights": ({"init_scale": 1e-3}, {}),
}


def apart(kernels: Any, member: Any) -> dict[str, float]:
    """How far the kernels' gradient and loss are from torch's in float64, relative to their size.

    And how far torch's own in float32 is, which tells what a shape makes of rounding.
    """
    network = member.network
    batch = member_stream(member, network.arch.seq_len).next()
    found = copy.deepcopy(network)
    loss = NativeNetwork(kernels, network, member.plan).differentiate(batch, found)
    wanted, exact = by_torch(copy.deepcopy(network).double(), batch)
    _, rounded = by_torch(network, batch)
    own = torch.cat([part.detach().double().reshape(-1) for part in found.parameters()])
    size = torch.linalg.vector_norm(exact)
    return {
        "gradient": (torch.linalg.vector_norm(own - exact) / size).item(),
        "loss": abs(loss - wanted) / wanted,
        "torch": (torch.linalg.vector_norm(rounded - exact) / size).item(),
    }


def by_torch(network: Any, batch: Any) -> tuple[float, torch.Tensor]:
    """Loss and gradient, in float64, of a network in its own precision."""
    logits = network.masked_logits(batch.inputs, batch.mask)
    loss = functional.cross_entropy(logits, batch.tokens[batch.mask])
    parts = torch.autograd.grad(loss, list(network.parameters()))
    return loss.item(), torch.cat([part.double().reshape(-1) for part in parts])


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_it_is_torchs_for_every_norm_and_activation(
    norm: str, activation: str, kernels: Any, make_member: Any
) -> None:
    for name, shape in SHAPES.items():
        for scale in (1.0, 0.3):
            own = {"norm": norm, "activation": activation, "residual_scale": scale}
            far = apart(kernels, make_member(0, arch=shape | own))
            assert max(far["gradient"], far["loss"]) < CLOSE, (name, scale)


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_torchs_for_shapes_that_fill_no_vector(
    name: str, kernels: Any, make_member: Any
) -> None:
    arch, plan = HOSTILE[name]
    for seed in range(3):
        far = apart(kernels, make_member(seed, arch=arch, **plan))
        assert far["gradient"] < max(CLOSE, 2 * far["torch"]), seed
        assert far["loss"] < CLOSE, seed

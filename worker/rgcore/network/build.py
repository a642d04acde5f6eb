"""From an architecture to a network with weights."""

from __future__ import annotations

import torch

from rgcore.architecture import Architecture
from rgcore.network.context import ContextNetwork
from rgcore.network.flat import FlatNetwork
from rgcore.network.mixer import MixerNetwork
from rgcore.network.residual import ResidualNetwork
from rgcore.network.window import WindowNetwork

NETWORK_OF: dict[str, type[ResidualNetwork]] = {
    "context": ContextNetwork,
    "flat": FlatNetwork,
    "mixer": MixerNetwork,
    "window": WindowNetwork,
}


def build_network(arch: Architecture, generator: torch.Generator) -> ResidualNetwork:
    """A network in float32 on the CPU, all its weights drawn from the generator.

    Matrices are Gaussian with standard deviation init_scale / sqrt(fan-in), the embedding
    init_scale, biases zero, gains one.

    Args:
        arch: its architecture.
        generator: a CPU generator; the same state gives the same weights.
    """
    return NETWORK_OF[arch.mixing](arch, generator)

"""Pure-MLP residual networks on token ids, and what they carry from block to block."""

from rgcore.architecture import Architecture, ArchitectureError
from rgcore.mixing import MIXINGS
from rgcore.network.build import build_network
from rgcore.network.residual import ResidualNetwork

__all__ = [
    "MIXINGS",
    "Architecture",
    "ArchitectureError",
    "ResidualNetwork",
    "build_network",
]

"""Pure-MLP residual networks for masked-token prediction."""

from rgcore.network.architecture import Architecture, hidden_units, parameter_count
from rgcore.network.model import ResidualNetwork, build_network

__all__ = ["Architecture", "ResidualNetwork", "build_network", "hidden_units", "parameter_count"]

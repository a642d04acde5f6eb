"""The weights of a network as bytes, and back."""

from __future__ import annotations

from safetensors.torch import load, save

from rgcore.network import ResidualNetwork


def pack(network: ResidualNetwork) -> bytes:
    """The weights; the same weights give the same bytes."""
    return save({name: tensor.cpu().contiguous() for name, tensor in network.state_dict().items()})


def unpack(data: bytes, network: ResidualNetwork) -> None:
    """Give a network of the same architecture these weights."""
    network.load_state_dict(load(data))

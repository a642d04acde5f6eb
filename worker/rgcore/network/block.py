"""One residual block, and the parts it is made of."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from rgcore.network.architecture import Architecture, hidden_units

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "gelu": functional.gelu,
    "tanh": torch.tanh,
    "silu": functional.silu,
}


def make_norm(kind: str, width: int) -> nn.Module:
    """The normalisation N; its gain starts at 1 and its shift at 0."""
    norms: dict[str, Callable[[], nn.Module]] = {
        "none": nn.Identity,
        "layer": lambda: nn.LayerNorm(width),
        "rms": lambda: nn.RMSNorm(width, eps=1e-5),
    }
    return norms[kind]()


def draw(layer: nn.Linear, scale: float, generator: torch.Generator) -> None:
    """Weights from N(0, scale^2 / fan-in), biases 0 (LeCun 1998)."""
    nn.init.normal_(layer.weight, std=scale / layer.in_features**0.5, generator=generator)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def bare_linear(inputs: int, outputs: int, *, bias: bool = True) -> nn.Linear:
    """A linear map whose weights are yet to be drawn: it leaves the global generator alone."""
    return nn.utils.skip_init(nn.Linear, inputs, outputs, bias=bias)  # type: ignore[return-value]


class Block(nn.Module):
    """h + s (W2 f(W1 N(h) + b1) + b2)."""

    def __init__(self, arch: Architecture, generator: torch.Generator) -> None:
        """Draw the weights."""
        super().__init__()
        hidden = hidden_units(arch)
        self.norm = make_norm(arch.norm, arch.width)
        self.expand = bare_linear(arch.width, hidden)
        self.contract = bare_linear(hidden, arch.width)
        self.activation = ACTIVATIONS[arch.activation]
        self.scale = arch.residual_scale
        draw(self.expand, arch.init_scale, generator)
        draw(self.contract, arch.init_scale, generator)

    def forward(self, h: Tensor) -> Tensor:
        """(..., d) -> (..., d)."""
        update: Tensor = self.contract(self.activation(self.expand(self.norm(h))))
        return h + self.scale * update

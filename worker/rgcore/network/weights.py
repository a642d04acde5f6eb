"""Initial weights, drawn from a generator and never from torch's global one."""

from __future__ import annotations

import torch
from torch import nn


def gaussian(shape: tuple[int, ...], std: float, generator: torch.Generator) -> nn.Parameter:
    """Independent Gaussian weights in float32."""
    drawn = torch.empty(shape, dtype=torch.float32).normal_(0.0, std, generator=generator)
    return nn.Parameter(drawn)


def gaussian_linear(
    n_in: int, n_out: int, init_scale: float, generator: torch.Generator
) -> nn.Linear:
    """A linear map with weights of standard deviation init_scale / sqrt(n_in) and zero bias.

    At scale 1 it keeps the variance of its input (LeCun et al. 1998).
    """
    linear = nn.Linear(n_in, n_out, device="meta")  # on meta nothing is drawn
    linear.weight = gaussian((n_out, n_in), init_scale / n_in**0.5, generator)
    linear.bias = nn.Parameter(torch.zeros(n_out, dtype=torch.float32))
    return linear

"""The norms with their arithmetic: one row for each of `rgcore.architecture.NORMS`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

NORM_EPS = 1e-5


@dataclass(frozen=True)
class NormOf:
    """What a norm does.

    Attributes:
        module: of the width d to the norm as a new network has it, with its gain and bias.
        unit: of streams (..., d), ones (d,) and zeros (d,) to the streams without gain and bias.
    """

    module: Callable[[int], nn.Module]
    unit: Callable[[Tensor, Tensor, Tensor], Tensor]


NORM_OF: dict[str, NormOf] = {
    "layer": NormOf(
        lambda width: nn.LayerNorm(width, eps=NORM_EPS, dtype=torch.float32),
        # torch's kernel for the CPU is slower without a gain and a bias than with them
        lambda stream, ones, zeros: functional.layer_norm(
            stream, ones.shape, ones, zeros, eps=NORM_EPS
        ),
    ),
    "none": NormOf(lambda _: nn.Identity(), lambda stream, _ones, _zeros: stream),
    "rms": NormOf(
        lambda width: nn.RMSNorm(width, eps=NORM_EPS, dtype=torch.float32),
        lambda stream, ones, _: functional.rms_norm(stream, ones.shape, eps=NORM_EPS),
    ),
}
"""By name."""

"""Streamed second moments of layers, in float64.

A float32 Gram matrix gets the effective rank of a collapsed layer wrong by 1e-2, a float64 one by
less than 1e-7.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Floats = NDArray[np.float64]


class LayerGrams:
    """Sums over rows of h_l, h_l^T h_l and h_l^T h_{l+1}, for l = 0..L and G groups of rows.

    Rows are shifted by the first batch's mean before they are squared: without that, a layer
    whose mean is large against its spread would lose the spread to rounding.
    """

    def __init__(self) -> None:
        """Nothing is known of the shapes until the first rows come."""
        self.n_rows = 0

    def add(self, layers: Sequence[Tensor]) -> None:
        """Add rows; L + 1 tensors (G, n, d), the same n rows of each group."""
        stacked = [layer.double() for layer in layers]
        if self.n_rows == 0:
            groups, _, width = stacked[0].shape
            depth = len(stacked)
            kwargs = {"dtype": torch.float64, "device": stacked[0].device}
            self._shift = [layer.mean(1, keepdim=True) for layer in stacked]
            self._sum = torch.zeros(depth, groups, width, **kwargs)
            self._own = torch.zeros(depth, groups, width, width, **kwargs)
            self._next = torch.zeros(depth - 1, groups, width, width, **kwargs)
        rows = [layer - shift for layer, shift in zip(stacked, self._shift, strict=True)]
        for index, x in enumerate(rows):
            self._sum[index] += x.sum(1)
            self._own[index] += x.mT @ x
            if index + 1 < len(rows):
                self._next[index] += x.mT @ rows[index + 1]
        self.n_rows += rows[0].shape[1]

    def centred(self) -> tuple[Floats, Floats]:
        """Centred h_l^T h_l, (L + 1, G, d, d), and h_l^T h_{l+1}, (L, G, d, d)."""
        s, n = self._sum, self.n_rows
        own = self._own - s.unsqueeze(-1) * s.unsqueeze(-2) / n
        following = self._next - s[:-1].unsqueeze(-1) * s[1:].unsqueeze(-2) / n
        return own.cpu().numpy(), following.cpu().numpy()

"""Running centred second moments of a residual stream, in float64."""

from __future__ import annotations

import torch
from torch import Tensor

Centred = tuple[Tensor, Tensor]
"""Rows less their mean (G, m, d), and that mean less the running one (G, d)."""


class Moments:
    """Means and centred Gram matrices of L + 1 layers, and of each layer with the next.

    G groups (positions, say) are kept apart and have equally many rows. Batches are centred on
    their own mean and merged by the update of Chan, Golub & LeVeque (1983): no digits are lost
    however far the mean lies from zero, and a constant layer comes out as exactly zero.

    Attributes:
        n_rows: rows of each group so far.
        mean: (L + 1, G, d).
        gram: (L + 1, G, d, d), X_l^T X_l.
        cross: (L, G, d, d), X_l^T X_{l+1}.
    """

    def __init__(self, n_layers: int, groups: int, width: int, device: torch.device) -> None:
        self.n_rows = 0
        self.mean = torch.zeros(n_layers, groups, width, dtype=torch.float64, device=device)
        self.gram = self.mean.new_zeros(n_layers, groups, width, width)
        self.cross = self.mean.new_zeros(n_layers - 1, groups, width, width)
        self._previous: Centred | None = None

    def add(self, layer: int, rows: Tensor) -> None:
        """Add a batch; call for layer 0, 1, ..., L in this order with the same samples.

        Args:
            layer: l.
            rows: (G, m, d), m samples of each group, any float type.
        """
        m = rows.shape[1]
        if m == 0:
            return
        centred = rows.to(torch.float64)
        batch_mean = centred.mean(dim=1)  # (G, d)
        centred = centred - batch_mean[:, None]  # (G, m, d)
        shift = batch_mean - self.mean[layer]  # (G, d)
        self.mean[layer] += shift * (m / (self.n_rows + m))
        weight = self.n_rows * m / (self.n_rows + m)
        self.gram[layer].baddbmm_(centred.mT, centred)
        self.gram[layer] += weight * _outer(shift, shift)
        if layer > 0 and self._previous is not None:
            before, shift_before = self._previous
            self.cross[layer - 1].baddbmm_(before.mT, centred)
            self.cross[layer - 1] += weight * _outer(shift_before, shift)
        self._previous = (centred, shift)
        if layer == len(self.mean) - 1:
            self.n_rows += m
            self._previous = None

    def together(self) -> Moments:
        """The moments of the rows of all groups as one group."""
        n_layers, groups, width = self.mean.shape
        whole = Moments(n_layers, 1, width, self.mean.device)
        whole.n_rows = self.n_rows * groups
        whole.mean = self.mean.mean(dim=1, keepdim=True)
        spread = self.mean - whole.mean  # (L + 1, G, d)
        whole.gram = self.gram.sum(dim=1, keepdim=True)
        whole.gram += self.n_rows * (spread.mT @ spread)[:, None]
        whole.cross = self.cross.sum(dim=1, keepdim=True)
        whole.cross += self.n_rows * (spread[:-1].mT @ spread[1:])[:, None]
        return whole

    def merge(self, other: Moments) -> None:
        """Add the rows of other moments of the same layers and groups."""
        n_rows = self.n_rows + other.n_rows
        if n_rows == 0:
            return
        shift = other.mean - self.mean  # (L + 1, G, d)
        weight = self.n_rows * other.n_rows / n_rows
        self.mean += shift * (other.n_rows / n_rows)
        self.gram += other.gram + weight * _outer(shift, shift)
        self.cross += other.cross + weight * _outer(shift[:-1], shift[1:])
        self.n_rows = n_rows


def _outer(x: Tensor, y: Tensor) -> Tensor:
    return x[..., :, None] * y[..., None, :]

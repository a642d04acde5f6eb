"""Running second, third and fourth moments of a residual stream, in float64."""

from __future__ import annotations

import torch
from torch import Tensor


class Moments:
    """Sums over the rows of Z = [h_0 ... h_L], K = L + 1 layers of width d, about a reference.

    G groups (positions, say) are kept apart and have equally many rows. The reference is fixed by
    the first batch: its mean, reached from its first row. Sums about it lose no digits however far
    the mean lies from zero, and a constant layer comes out as exactly zero. Another reference is a
    polynomial away (`about`), so that merging and centring are exact.

    Args:
        n_layers: K.
        groups: G.
        width: d.
        device: of the rows.
        complete: whether all blocks l <= m of Z^T Z are kept, or those with m <= l + 1 alone.

    Attributes:
        n_rows: rows of each group so far.
        reference: (G, K, d), c.
        total: (G, K, d), sum of x, here and below less c.
        gram: of each layer m, (G, d, k, d): sum of x_m x_l^T for the layers l = `first(m)`, ..., m.
        cubic: (G, K, K, d), sum of x_l |x_m|^2 at [:, l, m].
        quartic: (G, K, K), sum of |x_l|^2 |x_m|^2.
    """

    def __init__(
        self,
        n_layers: int,
        groups: int,
        width: int,
        device: torch.device,
        *,
        complete: bool = True,
    ) -> None:
        self.n_rows = 0
        self.complete = complete
        self.total = torch.zeros(groups, n_layers, width, dtype=torch.float64, device=device)
        self.reference = torch.zeros_like(self.total)
        self.gram = [
            self.total.new_zeros(groups, width, layer + 1 - self.first(layer), width)
            for layer in range(n_layers)
        ]
        self.cubic = self.total.new_zeros(groups, n_layers, n_layers, width)
        self.quartic = self.total.new_zeros(groups, n_layers, n_layers)
        self._rows = self.total  # the batch under way: (G, m, K, d)
        self._squares = self.total  # and its |x|^2: (G, m, K)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Groups, layers, width."""
        groups, n_layers, width = self.total.shape
        return groups, n_layers, width

    def first(self, layer: int) -> int:
        """The first of the layers whose product with this one is kept."""
        return 0 if self.complete else max(0, layer - 1)

    def block(self, first: int, second: int) -> Tensor:
        """Sum of x_first x_second^T: (G, d, d), first <= second, a pair that is kept."""
        return self.gram[second][:, :, first - self.first(second)].mT

    def add(self, layer: int, rows: Tensor) -> None:
        """Add a batch; call for layer 0, 1, ..., L in this order with the same samples.

        Args:
            layer: l.
            rows: (G, m, d), m samples of each group, any float type.
        """
        groups, n_layers, width = self.shape
        m = rows.shape[1]
        if m == 0:
            return
        if layer == 0:
            self._rows = self.total.new_empty(groups, m, n_layers, width)
            self._squares = self.total.new_empty(groups, m, n_layers)
        x = self._rows[:, :, layer]  # (G, m, d), a view
        x.copy_(rows)
        if self.n_rows == 0:
            start = x[:, :1].clone()
            self.reference[:, layer] = (start + (x - start).mean(dim=1, keepdim=True))[:, 0]
        x -= self.reference[:, None, layer]
        self.total[:, layer] += x.sum(dim=1)
        self._squares[:, :, layer] = x.square().sum(dim=-1)
        kept = self._rows[:, :, self.first(layer) : layer + 1].flatten(2)  # (G, m, k d)
        gram = self.gram[layer].view(groups, width, -1)
        gram.baddbmm_(x.mT, kept)  # this way round it is a third faster
        if layer == n_layers - 1:
            self.n_rows += m
            cubic = self._squares.mT @ self._rows.flatten(2)  # (G, K, K d), |x_m|^2 first
            self.cubic += cubic.view(groups, n_layers, n_layers, width).transpose(1, 2)
            self.quartic.baddbmm_(self._squares.mT, self._squares)
            self._rows = self._squares = self.total

    def about(self, reference: Tensor) -> Moments:
        """The moments of the same rows about another reference (G, K, d)."""
        moved = self._shifted(self.reference - reference)
        moved.reference = reference.clone()
        return moved

    def centred(self) -> Moments:
        """The moments about the mean."""
        return self._shifted(-self.total / max(self.n_rows, 1))

    def together(self) -> Moments:
        """The moments of the rows of all groups as one group."""
        groups = self.shape[0]
        middle = self.reference[:1] + (self.reference - self.reference[:1]).mean(dim=0)
        moved = self.about(middle.expand(groups, -1, -1))
        whole = self._like(1)
        whole.n_rows = self.n_rows * groups
        whole.reference = middle
        whole.total = moved.total.sum(dim=0, keepdim=True)
        whole.gram = [gram.sum(dim=0, keepdim=True) for gram in moved.gram]
        whole.cubic = moved.cubic.sum(dim=0, keepdim=True)
        whole.quartic = moved.quartic.sum(dim=0, keepdim=True)
        return whole

    def merge(self, other: Moments) -> None:
        """Add the rows of other moments of the same layers and groups."""
        if self.n_rows == 0:
            self.reference = other.reference.clone()
        moved = other.about(self.reference)
        self.n_rows += moved.n_rows
        self.total += moved.total
        self.gram = [gram + more for gram, more in zip(self.gram, moved.gram, strict=True)]
        self.cubic += moved.cubic
        self.quartic += moved.quartic

    @property
    def power(self) -> Tensor:
        """Sum of |x|^2: (G, K)."""
        traces = [gram[:, :, -1].diagonal(dim1=-2, dim2=-1).sum(dim=-1) for gram in self.gram]
        return torch.stack(traces, dim=1)

    def _shifted(self, shift: Tensor) -> Moments:
        """The moments of rows that all move by a shift (G, K, d); about c less the shift."""
        moved = self._like(self.shape[0])
        n, total = self.n_rows, self.total
        length = shift.square().sum(dim=-1)  # (G, K)
        inner = (shift * total).sum(dim=-1)  # (G, K)
        product = self._times(shift)  # (G, K, K, d)
        power = self.power  # (G, K)
        moved.n_rows = n
        moved.reference = self.reference - shift
        moved.total = total + n * shift
        for layer, gram in enumerate(self.gram):
            kept = slice(self.first(layer), layer + 1)
            outer = shift[:, layer, :, None, None] * total[:, None, kept]  # (G, d, k, d)
            outer += moved.total[:, layer, :, None, None] * shift[:, None, kept]
            moved.gram[layer] = outer.add_(gram)
        moved.cubic = (
            self.cubic
            + 2 * product
            + total[:, :, None] * length[:, None, :, None]
            + shift[:, :, None] * (power + 2 * inner + n * length)[:, None, :, None]
        )
        tilt = 2 * (self.cubic * shift[:, :, None]).sum(dim=-1)  # (G, K, K)
        moved.quartic = self.quartic + tilt + tilt.mT
        moved.quartic += 4 * (product * shift[:, :, None]).sum(dim=-1)
        spread = (power + 2 * inner)[:, :, None] * length[:, None, :]
        moved.quartic += spread + spread.mT + n * length[:, :, None] * length[:, None, :]
        return moved

    def _times(self, vector: Tensor) -> Tensor:
        """Sum of x_l (x_m . v_m) at [:, l, m], (G, K, K, d); zero for pairs that are not kept."""
        product = torch.zeros_like(self.cubic)
        for layer, gram in enumerate(self.gram):
            kept = slice(self.first(layer), layer + 1)
            product[:, kept, layer] = torch.einsum("gikj,gi->gkj", gram, vector[:, layer])
            product[:, layer, kept] = torch.einsum("gikj,gkj->gki", gram, vector[:, kept])
        return product

    def _like(self, groups: int) -> Moments:
        _, n_layers, width = self.shape
        return Moments(n_layers, groups, width, self.total.device, complete=self.complete)

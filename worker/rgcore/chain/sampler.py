"""Drawing sequences of a chain at a cost per token that hardly grows with its states."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

MOST_CELLS = 2**19
"""Of all guide tables of a chain together, about: 2 MiB, which the caches still hold."""
STRETCH = 8
"""Steps whose cells are found at a time: few enough that they stay in the caches."""


@dataclass(frozen=True, eq=False)
class Sampler:
    """Inverse transform of uniforms by guide tables (Chen & Asau 1974), one for each row of P.

    A table cuts [0, 1) into M cells. The cell of a uniform tells the first outcome that it may
    stand for; from there the distribution function is climbed, as often as the fullest cell has
    boundaries. So the tokens are those of a search in the distribution function, bit for bit.
    Outcomes of a row are its states of positive probability.

    Attributes:
        guide: ((V + 1) M,) int32, for each cell of each row the place of that first outcome.
        boundary: ((V + 1) W,) float64, the distribution function at each outcome, W of them a row.
        follows: ((V + 1) W,) int32, where the guide table of the state of each outcome begins.
        n_cells: M, a power of two: the cell of a uniform is then exact.
        climbs: most boundaries inside a cell.
    """

    guide: Tensor
    boundary: Tensor
    follows: Tensor
    n_cells: int
    climbs: int

    @classmethod
    def of(cls, cumulative: NDArray[np.float64]) -> Sampler:
        """The tables of distribution functions that end at 1: (V + 1, V), of P's rows, then of pi.

        M is the smallest of those, up to a bound on the memory, that ask for the fewest climbs.
        """
        rows, n_states = cumulative.shape
        row, state = np.nonzero(np.diff(cumulative, axis=1, prepend=0.0) > 0)
        outcome = np.arange(len(row)) - np.searchsorted(row, row)
        boundary = np.full((rows, n_states), np.inf)
        boundary[row, outcome] = cumulative[row, state]
        n_cells = size = 1 << (n_states - 1).bit_length()
        climbs = _climbs(boundary, n_cells)
        while climbs > 1 and 2 * size * n_states <= MOST_CELLS:
            size *= 2
            found = _climbs(boundary, size)
            if found < climbs:
                n_cells, climbs = size, found
        follows = np.zeros((rows, n_states), dtype=np.int32)
        follows[row, outcome] = state * n_cells
        begins = np.arange(n_cells) / n_cells
        guide = np.empty((rows, n_cells), dtype=np.int32)
        for index, law in enumerate(boundary):
            guide[index] = index * n_states + np.searchsorted(law, begins, side="right")
        return cls(
            torch.from_numpy(guide.ravel()),
            torch.from_numpy(boundary.ravel()),
            torch.from_numpy(follows.ravel()),
            n_cells,
            climbs,
        )

    def to(self, device: torch.device) -> Sampler:
        """The same tables on a device."""
        return replace(
            self,
            guide=self.guide.to(device),
            boundary=self.boundary.to(device),
            follows=self.follows.to(device),
        )

    def tokens(self, uniforms: Tensor) -> Tensor:
        """The sequences that uniforms in [0, 1) stand for.

        Args:
            uniforms: (T, n) float64, on the device of the tables.

        Returns:
            (n, T) int64.
        """
        length, n = uniforms.shape
        begins = uniforms.new_empty(length, n, dtype=torch.int32)  # of the tables of all states
        place, not_below = begins.new_empty(2, n)
        bound = uniforms.new_empty(n)
        last = begins.new_full((n,), len(self.guide) - self.n_cells)  # the table of pi
        for step in range(0, length, STRETCH):
            some = slice(step, step + STRETCH)
            cells = (uniforms[some] * self.n_cells).to(torch.int32)
            for uniform, cell, begin in zip(uniforms[some], cells, begins[some], strict=True):
                torch.index_select(self.guide, 0, cell.add_(last), out=place)
                for _ in range(self.climbs):
                    torch.index_select(self.boundary, 0, place, out=bound)
                    place += torch.ge(uniform, bound, out=not_below)
                last = torch.index_select(self.follows, 0, place, out=begin)
        begins >>= self.n_cells.bit_length() - 1
        return begins.T.to(torch.int64, memory_format=torch.contiguous_format)


def _climbs(boundary: NDArray[np.float64], n_cells: int) -> int:
    """Most boundaries inside one of M cells of a row; those where a cell begins do not count."""
    scaled = np.minimum(boundary * n_cells, n_cells)  # exact
    row, column = np.nonzero(scaled != np.floor(scaled))
    cells = row * n_cells + scaled[row, column].astype(np.int64)
    return int(np.unique(cells, return_counts=True)[1].max(initial=0))

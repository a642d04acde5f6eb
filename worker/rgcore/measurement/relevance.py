"""What each layer holds of a hidden token: what matters of it, and what does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rgcore.chain import Chain, visible_posterior
from rgcore.cost.passes import QUARTERS
from rgcore.measurement.irrelevant import irrelevant_tokens
from rgcore.measurement.observe import Observed, with_codes
from rgcore.measurement.reasons import CODE
from rgcore.measurement.regression import Regression, two_fold_r2
from rgcore.network import Architecture
from rgcore.training.data import Batch

FLOOR = 1e-6
"""Least probability in a log-odds."""
NO_MEMORY = 1e-12
"""Largest |P - 1 pi^T| of a chain whose tokens say nothing of each other."""


@dataclass(frozen=True, eq=False)
class Folds:
    """The quarters on the two sides of a two-fold read-out."""

    first: tuple[int, ...]
    second: tuple[int, ...]

    @property
    def both(self) -> tuple[int, ...]:
        """All of them."""
        return self.first + self.second


WHOLE = Folds((0, 1), (2, 3))
HALF = Folds((0,), (1,))


class Relevance:
    """R^2 of a linear ridge read-out, fitted to one half of the sequences and scored on the other.

    From h_l at the hidden tokens; mixing `flat`, whose one stream would need a read-out for each
    position, at those of the middle position T // 2 alone. The targets:

    - `relevance_posterior` (K,): the log-odds ln p_v - mean_v ln p_v of the law p of the hidden
      token given all the network can see, p at least `FLOOR`; V targets together.
    - `relevance_irrelevant` (K,): what the farther visible tokens hold beyond the nearer ones, see
      `irrelevant_tokens`; 2V targets together.
    - `relevance_eigenvectors` (K, V - 1): each right eigenvector of P at the true token, real and
      imaginary part together; and what the law p itself attains of it,
      `relevance_eigenvectors_ceiling` (V - 1,): 1 - its mean variance under p, as it has variance
      1 under pi.

    Args:
        arch: of the network.
        chain: law of the sequences.
        device: of the streams.
        precision: epsilon of the arithmetic that they are computed in.
    """

    def __init__(
        self, arch: Architecture, chain: Chain, device: torch.device, precision: float
    ) -> None:
        self.arch = arch
        self.chain = chain
        self.device = device
        self.precision = precision
        v = chain.n_states
        self._by_position = not arch.mixes.one_stream
        self._remembers = np.abs(chain.transition - chain.stationary).max() > NO_MEMORY
        self._modes = chain.right_eigenvectors()  # (V, V - 1)
        self._parts = np.concatenate([self._modes.real, self._modes.imag], axis=1)
        self._quarter = 0
        self._where = torch.zeros(0, dtype=torch.int64)  # the hidden tokens, in a stream
        self._irrelevant = torch.zeros(0, dtype=torch.bool)  # those that have irrelevant ones
        size = arch.depth + 1, arch.width
        self.relevant = Regression(QUARTERS, *size, v + 2 * (v - 1), device)
        self.irrelevant = Regression(QUARTERS, *size, 2 * v, device)
        self.spread = np.zeros((QUARTERS, v - 1))  # summed variance of the eigenvectors under p

    def begin(self, quarter: int, batch: Batch) -> None:
        """Start a batch: find its hidden tokens and their targets."""
        tokens, mask, radius = batch.tokens.numpy(), batch.mask.numpy(), self.arch.view_radius
        row, place = mask.nonzero()
        here = place >= 0 if self._by_position else place == mask.shape[1] // 2
        law = visible_posterior(self.chain, tokens, mask, radius)[here]  # (m, V)
        log_law = np.log(np.maximum(law, FLOOR))
        log_odds = log_law - log_law.mean(axis=1, keepdims=True)
        found = irrelevant_tokens(self.chain, tokens, mask, radius)
        self._quarter = quarter
        self._where = batch.mask if self._by_position else torch.from_numpy(row[here])
        self._where = self._where.to(self.device)
        self._irrelevant = self._on_device(found.exists[here])
        relevant = np.concatenate([log_odds, self._parts[tokens[mask][here]]], axis=1)
        self.relevant.begin(quarter, self._on_device(relevant))
        self.irrelevant.begin(quarter, self._on_device(found.innovation[here[found.exists]]))
        spread = law @ np.abs(self._modes) ** 2 - np.abs(law @ self._modes) ** 2  # (m, V - 1)
        self.spread[quarter] += spread.sum(axis=0)

    def add(self, layer: int, stream: Tensor) -> None:
        """Add a layer of the batch, in order: (n, T, d), for mixing `flat` (n, d)."""
        rows = stream[self._where].double()  # (m, d)
        self.relevant.add(self._quarter, layer, rows)
        self.irrelevant.add(self._quarter, layer, rows[self._irrelevant])

    def observed(self, folds: Folds) -> Observed:
        """The four quantities, read out between two sides of the quarters."""
        v = self.chain.n_states
        modes = np.arange(v, 2 * v - 1)
        groups = [np.arange(v), *np.stack([modes, modes + v - 1], axis=1)]
        relevant = _read(self.relevant, folds, groups)  # (K, 1 + V - 1)
        n_rows = self.relevant.rows(folds.both)
        ceiling = np.full(v - 1, np.nan)
        if n_rows > 0:
            ceiling = 1.0 - self.spread[list(folds.both)].sum(axis=0) / n_rows
        farther = _read(self.irrelevant, folds, [np.arange(2 * v)])[:, 0]  # (K,)
        too_few, otherwise = CODE["too_few_rows"], "constant_target"
        of_layer = self.relevant.codes(folds.both, self.precision)  # (K,)
        of_farther = self.irrelevant.codes(folds.both, self.precision)
        of_farther[of_farther == too_few] = CODE["no_irrelevant_tokens"]
        of_farther[of_layer == too_few] = too_few
        of_law = np.where(of_layer == too_few, of_layer, np.uint8(0))[:1]  # (1,)
        if not self._remembers:
            of_layer = np.maximum(of_layer, CODE["no_memory"])
            of_law = np.maximum(of_law, CODE["no_memory"])
        return (
            with_codes({"relevance_posterior": relevant[:, 0]}, of_layer, otherwise)
            | with_codes({"relevance_irrelevant": farther}, of_farther, otherwise)
            | with_codes({"relevance_eigenvectors": relevant[:, 1:]}, of_layer[:, None], otherwise)
            | with_codes({"relevance_eigenvectors_ceiling": ceiling}, of_law, otherwise)
        )

    def _on_device(self, array: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(array).to(self.device)


def _read(
    regression: Regression, folds: Folds, targets: Sequence[NDArray[np.int64]]
) -> NDArray[np.float64]:
    first, second = regression.moments(folds.first), regression.moments(folds.second)
    return two_fold_r2(first, second, targets)

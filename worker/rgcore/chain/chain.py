"""A stationary Markov chain and what is known exactly of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Chain:
    """V states, transition matrix P, stationary law pi."""

    family: str
    transition: Floats
    """(V, V), row-stochastic: P[i, j] = Pr(next = j | now = i)."""
    stationary: Floats
    """(V,), pi P = pi."""
    eigenvalues: Floats
    """(V,), of P, largest modulus first; eigenvalues[0] = 1. Real: the chain is reversible."""

    @property
    def n_states(self) -> int:
        """V."""
        return len(self.stationary)

    @property
    def corr_len(self) -> float:
        """xi = -1 / ln|l2|, tokens; 0 for a chain without memory."""
        second = float(abs(self.eigenvalues[1]))
        return -1.0 / np.log(second) if second > 0 else 0.0

    @property
    def entropy_rate(self) -> float:
        """-sum_i pi_i sum_j P_ij ln P_ij, nats per token."""
        return float(self.stationary @ _entropy(self.transition))

    @property
    def unigram_entropy(self) -> float:
        """-sum_i pi_i ln pi_i, nats: the loss of a guesser who sees nothing."""
        return float(_entropy(self.stationary))

    def mutual_information(self, max_lag: int) -> Floats:
        """I(r) of two tokens r = 1..max_lag apart, nats; (max_lag,)."""
        power, found = np.eye(self.n_states), []
        for _ in range(max_lag):
            power = power @ self.transition
            found.append(self.unigram_entropy - float(self.stationary @ _entropy(power)))
        return np.array(found)

    def sample(self, n: int, length: int, generator: torch.Generator) -> torch.Tensor:
        """n independent stationary sequences; (n, length), int64, on the CPU.

        Inverse CDF in float64. The last entry of each CDF is set to exactly 1, so that rounding
        in its sum cannot give a state that does not exist.
        """
        start, rows = self._cdf
        uniform = torch.rand(length, n, 1, generator=generator, dtype=torch.float64)
        tokens = torch.empty(length, n, dtype=torch.int64)
        tokens[0] = (uniform[0] >= start).sum(1)
        for t in range(1, length):
            tokens[t] = (uniform[t] >= rows[tokens[t - 1]]).sum(1)  # (n, V) -> (n,)
        return tokens.T.contiguous()

    @cached_property
    def _cdf(self) -> tuple[torch.Tensor, torch.Tensor]:
        start = np.cumsum(self.stationary)
        rows = np.cumsum(self.transition, axis=1)
        start[-1] = rows[:, -1] = 1.0
        return torch.from_numpy(start), torch.from_numpy(rows)


def reversible_chain(family: str, transition: Floats, stationary: Floats) -> Chain:
    """A chain in detailed balance: its eigenvalues are those of a symmetric matrix, so real."""
    root = np.sqrt(stationary)
    symmetric = root[:, None] * transition / root[None, :]
    eigenvalues = np.linalg.eigvalsh((symmetric + symmetric.T) / 2)
    order = np.argsort(-np.abs(eigenvalues), kind="stable")
    # of two of modulus 1 (a walk that alternates) the stationary one comes first
    eigenvalues = eigenvalues[order]
    if eigenvalues[0] < 0:
        eigenvalues = np.roll(eigenvalues, -1)
    return Chain(family, transition, stationary, eigenvalues)


def _entropy(p: Floats) -> Floats:
    """Entropy along the last axis, nats."""
    return -np.sum(p * np.log(np.where(p > 0, p, 1.0)), axis=-1)  # type: ignore[no-any-return]

"""A stationary Markov chain with everything that is known exactly about it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import entr, xlog1py


@dataclass(frozen=True, eq=False)
class Chain:
    """A stationary Markov chain on V states; its arrays are read-only.

    Attributes:
        family: name of its construction.
        transition: (V, V), row-stochastic: P[i, j] is the probability of j after i.
        stationary: (V,), the law pi of every single token.
        eigenvalues: (V,) of the transition matrix, by falling modulus; the first is 1.
            Real for a reversible chain, complex otherwise.
        corr_len: correlation length -1 / ln|l2|, in tokens.
        entropy_rate: entropy of a token given the one before, in nats.
        unigram_entropy: entropy of pi, in nats: the loss of guessing without looking.
    """

    family: str
    transition: NDArray[np.float64]
    stationary: NDArray[np.float64]
    eigenvalues: NDArray[np.float64] | NDArray[np.complex128]
    corr_len: float
    entropy_rate: float
    unigram_entropy: float

    @property
    def n_states(self) -> int:
        """V."""
        return len(self.stationary)

    def mutual_information(self, max_lag: int) -> NDArray[np.float64]:
        """I(x_t; x_{t+r}) in nats for r = 1..max_lag, shape (max_lag,).

        Written in the deviation D = P^r - 1 pi^T, whose powers decay, as the sum over i, j of
        pi_i [(pi_j + D_ij) ln(1 + D_ij / pi_j) - D_ij]: no term is negative, and the tail is good
        to eps / sqrt(I) of itself, where the difference of two entropies is off by eps.

        Raises:
            ValueError: max_lag is below 1.
        """
        if max_lag < 1:
            raise ValueError(f"max_lag is {max_lag}; allowed: 1 or more")
        law = np.maximum(self.stationary, np.finfo(np.float64).tiny)  # (V,)
        step = self.transition - self.stationary  # (V, V), the chain without its limit
        deviation = step
        found = np.empty(max_lag)
        for lag in range(max_lag):
            ratio = np.maximum(deviation / law, -1.0)  # rounding may pass -1 where P^r is 0
            terms = xlog1py(law * (1.0 + ratio), ratio) - law * ratio
            found[lag] = self.stationary @ terms.sum(axis=1)
            deviation = deviation @ step
        return np.maximum(found, 0.0)

    def sample(self, n: int, length: int, generator: torch.Generator) -> torch.Tensor:
        """Draw n independent stationary sequences.

        Inverse transform of float64 uniforms, one per token; the same state of the generator
        gives the same tokens. A state of probability zero is never drawn.

        Args:
            n: number of sequences.
            length: tokens in each.
            generator: a CPU generator.

        Returns:
            (n, length) int64 on the CPU, values 0..V-1.
        """
        uniform = torch.rand(length, n, 1, dtype=torch.float64, generator=generator)
        tokens = torch.empty(length, n, dtype=torch.int64)
        cumulative = self._cumulative[-1].repeat(n, 1)  # (n, V): pi for the first token
        for t in range(length):
            drawn = torch.searchsorted(cumulative, uniform[t], right=True)  # (n, 1)
            tokens[t] = drawn[:, 0]
            cumulative = self._cumulative[tokens[t]]
        return tokens.T.contiguous()

    @cached_property
    def _cumulative(self) -> torch.Tensor:
        """Distribution functions of the rows of P, then of pi: (V + 1, V).

        Divided by the last entry, which rounding leaves beside 1: a uniform in [0, 1) is then
        always below it, and states of probability zero at the end are never reached.
        """
        cumulative = np.cumsum(np.vstack([self.transition, self.stationary]), axis=1)
        return torch.tensor(cumulative / cumulative[:, -1:], dtype=torch.float64)


def reversible_chain(
    family: str, transition: NDArray[np.float64], stationary: NDArray[np.float64]
) -> Chain:
    """The chain of a transition matrix in detailed balance with its stationary law.

    The spectrum is that of the symmetric matrix of entries sqrt(P_ij P_ji), which is similar to P
    and whose eigenvalues are found to about V times the float64 epsilon.

    Args:
        family: name of its construction.
        transition: (V, V), row-stochastic, pi_i P_ij = pi_j P_ji.
        stationary: (V,), pi.
    """
    root = np.sqrt(transition)
    others = np.linalg.eigvalsh(root * root.T)[:-1]  # (V-1,), the largest is 1 exactly
    others = others[np.argsort(-np.abs(others), kind="stable")]
    eigenvalues = np.concatenate([[1.0], others])
    for array in (transition, stationary, eigenvalues):
        array.setflags(write=False)
    return Chain(
        family=family,
        transition=transition,
        stationary=stationary,
        eigenvalues=eigenvalues,
        corr_len=float(-1.0 / np.log(np.abs(others[0]))),
        entropy_rate=float(stationary @ entr(transition).sum(axis=1)),
        unigram_entropy=float(entr(stationary).sum()),
    )

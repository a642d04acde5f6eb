"""A stationary Markov chain with everything that is known exactly about it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlog1py

from rgcore.chain.deviation import Deviation
from rgcore.chain.modes import modes

if TYPE_CHECKING:  # what is known of a chain needs no torch; only drawing from it does
    import torch

    from rgcore.chain.sampler import Sampler


@dataclass(frozen=True, eq=False)
class Chain:
    """A stationary Markov chain on V states; its arrays are read-only.

    Attributes:
        family: name of its construction.
        transition: (V, V), row-stochastic: P[i, j] is the probability of j after i.
        stationary: (V,), the law pi of every single token.
        eigenvalues: (V,) of the transition matrix, by falling modulus; the first is 1.
            Real for a reversible chain, complex otherwise.
        corr_len: correlation length -1 / ln|l2|, in tokens; 0 where l2 is 0.
        entropy_rate: entropy of a token given the one before, in nats.
        unigram_entropy: entropy of pi, in nats: the loss of guessing without looking.
        scale_corr_lens: (n,), one correlation length per scale, in tokens, from the finest to the
            coarsest; None for a family without scales.
        corr_len_error: how far rounding the entries of P, each in its last place, may move the
            correlation length, in tokens; infinite where that leaves open whether it forgets.
    """

    family: str
    transition: NDArray[np.float64]
    stationary: NDArray[np.float64]
    eigenvalues: NDArray[np.float64] | NDArray[np.complex128]
    corr_len: float
    entropy_rate: float
    unigram_entropy: float
    scale_corr_lens: NDArray[np.float64] | None = None
    corr_len_error: float = 0.0

    @property
    def n_states(self) -> int:
        """V."""
        return len(self.stationary)

    @cached_property
    def reversible(self) -> bool:
        """Whether pi_i P_ij = pi_j P_ji: read backwards, a sequence has the same law.

        Judged beside the memory, however faint it is, as far as rounding lets it be seen.
        """
        return Deviation.of(self.transition, self.stationary).symmetric

    @cached_property
    def reversed_transition(self) -> NDArray[np.float64]:
        """P of the sequences read backwards: pi_j P_ji / pi_i, (V, V); P itself if reversible."""
        if self.reversible:
            return self.transition
        backwards = self.stationary * self.transition.T / self.stationary[:, None]
        backwards.setflags(write=False)
        return backwards

    def right_eigenvectors(self) -> NDArray[np.float64] | NDArray[np.complex128]:
        """The r with P r = l r for each l of `eigenvalues[1:]`, in that order: (V, V-1).

        As functions of the token they are what a reader of the past can still know: the mean of
        r(x_{t+n}) given x_t is l^n r(x_t). Under pi each has mean 0 and variance 1. Those of a
        reversible chain are real and uncorrelated, sum_i pi_i r_ia r_ib = delta_ab. The columns
        of a defective eigenvalue are one vector, repeated.
        """
        return modes(self.transition, self.stationary).vectors

    def shuffled(self) -> Chain:
        """The chain of the same pi without memory, P = 1 pi^T: the null beside each number.

        Its sequences are those of this chain with every token drawn anew, or shuffled across an
        endless sequence.
        """
        transition = np.tile(self.stationary, (self.n_states, 1))
        eigenvalues = np.zeros(self.n_states)
        eigenvalues[0] = 1.0
        for array in (transition, eigenvalues):
            array.setflags(write=False)
        return Chain(
            family=f"{self.family}, shuffled",
            transition=transition,
            stationary=self.stationary,
            eigenvalues=eigenvalues,
            corr_len=0.0,
            entropy_rate=self.unigram_entropy,
            unigram_entropy=self.unigram_entropy,
        )

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
            generator: on any device; another device gives other uniforms.

        Returns:
            (n, length) int64 on the generator's device, values 0..V-1.
        """
        import torch  # noqa: PLC0415

        device = generator.device
        if device not in self._samplers:
            self._samplers[device] = self._sampler.to(device)
        uniforms = torch.rand(length, n, dtype=torch.float64, device=device, generator=generator)
        return self._samplers[device].tokens(uniforms)

    @cached_property
    def _sampler(self) -> Sampler:
        """The tables that sequences are drawn by, on the CPU."""
        from rgcore.chain.sampler import Sampler  # noqa: PLC0415

        return Sampler.of(self.cumulative)

    @cached_property
    def _samplers(self) -> dict[torch.device, Sampler]:
        """One for each device that has been drawn on."""
        return {}

    @cached_property
    def cumulative(self) -> NDArray[np.float64]:
        """Distribution functions of the rows of P, then of pi: (V + 1, V).

        Divided by the last entry, which rounding leaves beside 1: a uniform in [0, 1) is then
        always below it, and states of probability zero at the end are never reached.
        """
        cumulative = np.cumsum(np.vstack([self.transition, self.stationary]), axis=1)
        return np.asarray(cumulative / cumulative[:, -1:])

"""From a transition matrix to a chain: its stationary law, its spectrum, its entropies."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from rgcore.chain.chain import Chain
from rgcore.chain.modes import modes
from rgcore.chain.stationary import stationary_law


def markov_chain(
    family: str,
    transition: NDArray[np.float64],
    stationary: NDArray[np.float64] | None = None,
    scale_corr_lens: Sequence[float] | None = None,
) -> Chain:
    """The chain of a transition matrix, which is taken as it is and made read-only.

    Args:
        family: name of its construction.
        transition: (V, V), row-stochastic and irreducible.
        stationary: (V,), pi; found if it is not given.
        scale_corr_lens: (n,), see `Chain`.

    Example:
        >>> chain = markov_chain("explicit", np.array([[0.9, 0.1], [0.3, 0.7]]))
        >>> chain.stationary.round(6)
        array([0.75, 0.25])
    """
    if stationary is None:
        stationary = stationary_law(transition)
    found = modes(transition, stationary)
    moduli = np.abs(found.eigenvalues)  # (V-1,)
    chain = Chain(
        family=family,
        transition=transition,
        stationary=stationary,
        eigenvalues=np.concatenate([[1.0], found.eigenvalues]),
        corr_len=_corr_len(float(moduli[0])),
        entropy_rate=float(stationary @ entr(transition).sum(axis=1)),
        unigram_entropy=float(entr(stationary).sum()),
        scale_corr_lens=None if scale_corr_lens is None else np.array(scale_corr_lens, float),
        corr_len_error=_corr_len_error(moduli, found.errors),
    )
    for array in (chain.transition, chain.stationary, chain.eigenvalues, chain.scale_corr_lens):
        if array is not None:
            array.setflags(write=False)
    return chain


def _corr_len(second: float) -> float:
    """-1 / ln|l2|; no memory has length 0, and what never decays an infinite one."""
    if second <= 0.0:
        return 0.0
    return -1.0 / math.log(second) if second < 1.0 else math.inf


def _corr_len_error(moduli: NDArray[np.float64], errors: NDArray[np.float64]) -> float:
    """The further of the two ends that the moduli, falling, leave to the correlation length."""
    longest, shortest = _corr_len((moduli + errors).max()), _corr_len((moduli - errors).max())
    found = _corr_len(moduli[0])
    return max(longest - found, found - shortest)

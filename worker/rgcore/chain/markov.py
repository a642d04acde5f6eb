"""From a transition matrix to a chain: its stationary law, its spectrum, its entropies."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from rgcore.chain.chain import Chain
from rgcore.chain.modes import modes


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
    """
    if stationary is None:
        stationary = stationary_law(transition)
    others = modes(transition, stationary).eigenvalues  # (V-1,)
    chain = Chain(
        family=family,
        transition=transition,
        stationary=stationary,
        eigenvalues=np.concatenate([[1.0], others]),
        corr_len=_corr_len(float(abs(others[0]))),
        entropy_rate=float(stationary @ entr(transition).sum(axis=1)),
        unigram_entropy=float(entr(stationary).sum()),
        scale_corr_lens=None if scale_corr_lens is None else np.array(scale_corr_lens, float),
    )
    for array in (chain.transition, chain.stationary, chain.eigenvalues, chain.scale_corr_lens):
        if array is not None:
            array.setflags(write=False)
    return chain


def stationary_law(transition: NDArray[np.float64]) -> NDArray[np.float64]:
    """The law pi with pi P = pi of an irreducible chain, (V,).

    States are eliminated one by one without a subtraction (Grassmann, Taksar & Heyman 1985), so
    that each pi_i is good to about V epsilon of itself, however small. A chain too uneven for
    float64 gives zeros or NaN.
    """
    n_states = len(transition)
    folded = transition.copy()
    law = np.ones(1)
    with np.errstate(all="ignore"):
        for last in range(n_states - 1, 0, -1):
            folded[:last, last] /= folded[last, :last].sum()
            folded[:last, :last] += np.outer(folded[:last, last], folded[last, :last])
        for state in range(1, n_states):
            law = np.append(law, law @ folded[:state, state])
            law /= law.sum()
    return law


def _corr_len(second: float) -> float:
    """-1 / ln|l2|; no memory has length 0, and what never decays an infinite one."""
    if second == 0.0:
        return 0.0
    return -1.0 / math.log(second) if second < 1.0 else math.inf

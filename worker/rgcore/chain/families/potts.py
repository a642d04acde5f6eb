"""The one-dimensional Potts chain: stay, or forget everything."""

from __future__ import annotations

import math

import numpy as np

from rgcore.chain.chain import Chain
from rgcore.chain.families.registry import family
from rgcore.chain.markov import markov_chain


@family
def potts(n_states: int, corr_len: float, seed: int) -> Chain:  # noqa: ARG001 - nothing is random
    """P = l I + (1 - l) / V J with l = exp(-1 / xi); all eigenvalues but the first are l.

    The transfer matrix of the ferromagnetic nearest-neighbour Potts model (Potts 1952).

    Args:
        n_states: V.
        corr_len: xi, in tokens.
        seed: unused; every family takes one.
    """
    kept = math.exp(-1.0 / corr_len)
    lost = -math.expm1(-1.0 / corr_len)  # 1 - l without its rounding
    transition = np.full((n_states, n_states), lost / n_states)
    transition[np.diag_indices(n_states)] += kept
    return markov_chain("potts", transition, np.full(n_states, 1.0 / n_states))

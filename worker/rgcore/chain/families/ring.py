"""A lazy walk on a cycle: only neighbours follow each other."""

from __future__ import annotations

import math

import numpy as np

from rgcore.chain.chain import Chain
from rgcore.chain.families.registry import family
from rgcore.chain.markov import markov_chain

MOST_HOP = 0.25
"""The walk then stays with probability 1/2, and no eigenvalue is negative."""


@family
def ring(n_states: int, corr_len: float, seed: int) -> Chain:  # noqa: ARG001 - nothing is random
    """A walk that hops to each neighbour with probability p and stays otherwise.

    Its eigenvalues are 1 - 2p (1 - cos 2 pi k/V), k = 0..V-1, and with t = exp(-1 / xi) the
    slowest is t at p = (1 - t) / (2 (1 - cos 2 pi/V)). Walking is slow: p reaches `MOST_HOP` at
    t = cos^2(pi/V). For a shorter xi the walk at that p forgets everything now and then:
    P = a P_walk + (1 - a)/V J, a = t / cos^2(pi/V), which scales every eigenvalue but the first.

    Args:
        n_states: V.
        corr_len: xi, in tokens.
        seed: unused; every family takes one.
    """
    lost = -math.expm1(-1.0 / corr_len)  # 1 - t without its rounding
    hop = lost / (4.0 * math.sin(math.pi / n_states) ** 2)  # 2 (1 - cos x) = 4 sin^2(x / 2)
    stay = np.eye(n_states)
    right = np.roll(stay, 1, axis=1)
    walk = min(hop, MOST_HOP)
    transition = (1.0 - 2.0 * walk) * stay + walk * (right + right.T)
    if hop > MOST_HOP:
        kept = min(1.0, math.exp(-1.0 / corr_len) / math.cos(math.pi / n_states) ** 2)
        transition = kept * transition + (1.0 - kept) / n_states
    return markov_chain("ring", transition, np.full(n_states, 1.0 / n_states))

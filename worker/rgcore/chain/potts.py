"""Potts: stay with weight l, otherwise forget everything."""

from __future__ import annotations

import numpy as np

from rgcore.chain.chain import Chain, reversible_chain


def potts(n_states: int, corr_len: float, seed: int) -> Chain:  # noqa: ARG001 - nothing is random
    """P = l I + (1 - l) / V J with l = exp(-1 / xi); spectrum 1 and l, (V - 1)-fold."""
    second = np.exp(-1.0 / corr_len)
    transition = second * np.eye(n_states) + (1.0 - second) / n_states
    return reversible_chain("potts", transition, np.full(n_states, 1.0 / n_states))

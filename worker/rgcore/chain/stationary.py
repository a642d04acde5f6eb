"""The law of a single token of a chain that has run for ever."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


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

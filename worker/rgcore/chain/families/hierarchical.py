"""A tree of states: what is near in it is forgotten first, one correlation length per scale."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from rgcore.chain.chain import Chain
from rgcore.chain.checks import check_agrees, checked_corr_len, checked_n_states
from rgcore.chain.errors import ChainError
from rgcore.chain.families.registry import family
from rgcore.chain.markov import markov_chain


@family
def hierarchical(
    n_states: int | None = None,
    corr_len: float | None = None,
    seed: int = 0,  # noqa: ARG001 - nothing is random
    *,
    branching: int = 2,
    scales: Sequence[float] | None = None,
) -> Chain:
    """V = b^n leaves of a tree; block j of a state is the b^j leaves under its j-th ancestor.

    With E_j the average within blocks of b^j and m_j = exp(-1 / xi_j), m_0 <= ... <= m_{n-1},

        P = m_0 I + sum_{j=1}^{n-1} (m_j - m_{j-1}) E_j + (1 - m_{n-1}) E_n:

    with probability m_j the next token is drawn out of the block of b^j of this one, or a finer
    one. The eigenvalue m_j, (b^(n-j) - b^(n-j-1))-fold, belongs to the differences between the
    blocks of b^j in one block of b^(j+1). Averages over nested blocks as in the hierarchical model
    (Dyson 1969); a diffusion on a tree (Ogielski & Stein 1985).

    Args:
        n_states: V, a power of `branching`; not needed beside `scales`.
        corr_len: xi of the coarsest scale, in tokens; not needed beside `scales`.
        seed: unused; every family takes one.
        branching: b, 2 or more.
        scales: (n,), xi_0 <= ... <= xi_{n-1}, in tokens, from the finest scale to the coarsest;
            0 is no memory of that scale. By default each is half of the next.

    Raises:
        ChainError: V is no power of b, or the correlation lengths do not rise or do not match.
    """
    if branching < 2:
        raise ChainError("branching", branching, "2 or more")
    if scales is not None:
        _check_scales(scales)
        check_agrees("corr_len", corr_len, scales[-1], "scales")
        if n_states is None:
            n_states = branching ** len(scales)
    n_states = checked_n_states(n_states)
    n_scales = _n_scales(n_states, branching)
    if scales is None:
        longest = checked_corr_len(corr_len)
        scales = [longest / 2.0**j for j in reversed(range(n_scales))]
    elif len(scales) != n_scales:
        allowed = f"{n_scales}, one for each scale of {n_states} = {branching}^{n_scales} states"
        raise ChainError("scales", scales, allowed, f"has {len(scales)} entries")
    kept = [math.exp(-1.0 / xi) if xi > 0 else 0.0 for xi in scales]  # m_j
    steps = [
        kept[0],
        *(b - a for a, b in itertools.pairwise(kept)),
        -math.expm1(-1 / scales[-1]),
    ]
    leaf = np.arange(n_states)
    transition = np.zeros((n_states, n_states))
    for j, weight in enumerate(steps):
        block = leaf // branching**j
        transition += weight / branching**j * (block[:, None] == block)
    stationary = np.full(n_states, 1.0 / n_states)
    return markov_chain("hierarchical", transition, stationary, scales)


def _check_scales(scales: Sequence[float]) -> None:
    if not scales:
        raise ChainError("scales", scales, "one correlation length for each scale")
    for j, xi in enumerate(scales):
        if not (math.isfinite(xi) and xi >= 0):
            raise ChainError("scales", xi, "0 or more tokens each", f"entry {j} is {xi!r}")
    for j, (finer, coarser) in enumerate(itertools.pairwise(scales)):
        if coarser < finer:
            reason = f"entry {j + 1} is {coarser!r}, below {finer!r} before it"
            raise ChainError("scales", coarser, "from the finest scale, never falling", reason)
    checked_corr_len(scales[-1], "scales[-1]")


def _n_scales(n_states: int, branching: int) -> int:
    """The n of V = b^n."""
    n_scales, power = 1, branching
    while power < n_states:
        n_scales, power = n_scales + 1, power * branching
    if power != n_states:
        near = [power // branching, power] if n_scales > 1 else [power]
        allowed = f"a power of branching {branching}, such as {' or '.join(map(str, near))}"
        raise ChainError("n_states", n_states, allowed)
    return n_scales

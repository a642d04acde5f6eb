"""The families of chains by name: one function, in one file, for each."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable

from rgcore.chain.chain import Chain
from rgcore.chain.errors import ChainError
from rgcore.chain.potts import potts
from rgcore.chain.random_reversible import random_reversible

FAMILIES: dict[str, Callable[..., Chain]] = {
    "potts": potts,
    "random_reversible": random_reversible,
}
"""Name to f(n_states, corr_len, seed, *, own parameters)."""

LEAST_CORR_LEN = 0.05
"""|l2| is then 2e-9, still resolved to 1e-7 of itself."""
MOST_CORR_LEN = 1e6


def make_chain(family: str, n_states: int, corr_len: float, seed: int = 0, **own: float) -> Chain:
    """A chain of a family with a given correlation length.

    Args:
        family: a name out of `FAMILIES`.
        n_states: V, 2 or more.
        corr_len: xi = -1 / ln|l2|, in tokens.
        seed: draws the transition matrix of a random family; not the training seed.
        **own: parameters of that family alone, e.g. `concentration` of `random_reversible`.

    Raises:
        ChainError: an unknown family, a parameter that it does not have, or a value out of range.
    """
    if family not in FAMILIES:
        raise ChainError("family", family, ", ".join(sorted(FAMILIES)))
    build = FAMILIES[family]
    known = [
        name
        for name, parameter in inspect.signature(build).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    ]
    for name, value in own.items():
        if name not in known:
            raise ChainError(name, value, f"of {family}: {', '.join(known) or 'none'}")
    if n_states < 2:
        raise ChainError("n_states", n_states, "2 or more")
    if not (math.isfinite(corr_len) and LEAST_CORR_LEN <= corr_len <= MOST_CORR_LEN):
        raise ChainError("corr_len", corr_len, f"{LEAST_CORR_LEN} to {MOST_CORR_LEN:g} tokens")
    return build(n_states, corr_len, seed, **own)

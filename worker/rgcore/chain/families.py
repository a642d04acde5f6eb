"""The families of chains by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from rgcore.chain.chain import Chain
from rgcore.chain.errors import ChainError
from rgcore.chain.potts import potts
from rgcore.chain.random_reversible import random_reversible

FAMILIES: dict[str, Callable[..., Chain]] = {
    "potts": potts,
    "random_reversible": random_reversible,
}
"""Each takes (n_states, corr_len, seed) and parameters of its own as keywords."""


def make_chain(
    family: str, n_states: int, corr_len: float, seed: int = 0, **own: float
) -> Chain:
    """A chain of V states with correlation length xi (tokens).

    Args:
        family: a name in `FAMILIES`.
        n_states: V, at least 2.
        corr_len: xi = -1 / ln|l2|, positive.
        seed: draws the matrix of a random family.
        own: the family's own parameters.

    Raises:
        ChainError: an unknown family or parameter, or a value that the family cannot have.
    """
    if family not in FAMILIES:
        raise ChainError("family", family, ", ".join(FAMILIES))
    if n_states < 2:
        raise ChainError("n_states", n_states, ">= 2")
    if not 0 < corr_len < float("inf"):
        raise ChainError("corr_len", corr_len, "positive and finite")
    make = FAMILIES[family]
    known = [
        name
        for name, parameter in inspect.signature(make).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    ]
    for name, value in own.items():
        if name not in known:
            raise ChainError(name, value, f"the parameters of {family}: {known or 'none'}")
    return make(n_states, corr_len, seed, **own)

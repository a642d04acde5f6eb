"""A chain by the name of its family."""

from __future__ import annotations

import inspect
from typing import Any

from rgcore.chain.chain import Chain
from rgcore.chain.checks import checked_corr_len, checked_n_states
from rgcore.chain.errors import ChainError
from rgcore.chain.families import FAMILIES


def make_chain(
    family: str,
    n_states: int | None = None,
    corr_len: float | None = None,
    seed: int = 0,
    **own: Any,
) -> Chain:
    """A chain of a family with a given correlation length.

    Args:
        family: a name out of `FAMILIES`.
        n_states: V, 2 or more; may be left out where the family's own parameters fix it.
        corr_len: xi = -1 / ln|l2|, in tokens; may be left out likewise.
        seed: draws the transition matrix of a random family; not the training seed.
        **own: parameters of that family alone, e.g. `concentration` of `random_reversible`.

    Raises:
        ChainError: an unknown family, a parameter that it does not have or misses, or a value out
            of range.

    Example:
        >>> chain = make_chain("potts", n_states=3, corr_len=2.0)
        >>> chain.eigenvalues.round(6)
        array([1.      , 0.606531, 0.606531])
    """
    if family not in FAMILIES:
        raise ChainError("family", family, ", ".join(sorted(FAMILIES)))
    build = FAMILIES[family]
    parameters = inspect.signature(build).parameters
    known = [name for name, one in parameters.items() if one.kind is one.KEYWORD_ONLY]
    for name, value in own.items():
        if name not in known:
            raise ChainError(name, value, f"of {family}: {', '.join(known) or 'none'}")
    needed = [name for name, one in parameters.items() if one.default is one.empty]
    for name in known:
        if name in needed and own.get(name) is None:
            raise ChainError(name, None, f"{family} is made of it and cannot do without")
    if "n_states" in needed:
        checked_n_states(n_states)
    if "corr_len" in needed:
        checked_corr_len(corr_len)
    return build(n_states, corr_len, seed, **own)

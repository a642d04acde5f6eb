"""What several families ask of their parameters."""

from __future__ import annotations

import math

from rgcore.chain.errors import ChainError

LEAST_CORR_LEN = 0.05
"""|l2| is then 2e-9, still resolved to 1e-7 of itself."""
MOST_CORR_LEN = 1e6
NEARLY_ONE = 1.0 - 1e-12
"""From here on |l2| is not told from 1: the chain does not mix."""
AGREEMENT = 1e-6
"""Relative; a correlation length that was printed and typed in again still agrees."""


def checked_n_states(n_states: int | None) -> int:
    """The number of states, if there is anything to tell apart."""
    if n_states is None or n_states < 2:
        raise ChainError("n_states", n_states, "2 or more")
    return n_states


def checked_corr_len(corr_len: float | None, field: str = "corr_len") -> float:
    """The correlation length, if float64 resolves it; NaN is refused too."""
    if corr_len is None or not LEAST_CORR_LEN <= corr_len <= MOST_CORR_LEN:
        raise ChainError(field, corr_len, f"{LEAST_CORR_LEN} to {MOST_CORR_LEN:g} tokens")
    return corr_len


def check_agrees(field: str, given: float | None, found: float, source: str) -> None:
    """Refuse a value that another parameter already fixes to something else."""
    if given is not None and not math.isclose(given, found, rel_tol=AGREEMENT):
        raise ChainError(field, given, f"{found:.10g}, which {source} fixes, or none")

"""A chain made to have given eigenvalues."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.fft import idct

from rgcore.chain.chain import Chain
from rgcore.chain.checks import NEARLY_ONE, check_agrees
from rgcore.chain.errors import ChainError
from rgcore.chain.families.registry import family
from rgcore.chain.markov import markov_chain

LEAST_SLOWEST = 1e-12
"""A largest modulus below it is lost in the rounding of P."""
NEGATIVE = -2e-12
"""An entry of P from here to 0 is rounding, and set to 0: lower than who checks a list before it
comes here sets it, who adds the cosines up in another order."""


@family
def spectrum(
    n_states: int | None = None,
    corr_len: float | None = None,
    seed: int = 0,  # noqa: ARG001 - nothing is random
    *,
    eigenvalues: Sequence[float],
) -> Chain:
    """P = sum_k l_k u_k u_k^T with l_0 = 1 and the cosines u_k(i) ~ cos(pi k (i + 1/2) / V).

    The orthonormal DCT-II basis (Ahmed, Natarajan & Rao 1974). u_0 is constant, so rows sum to 1
    and pi is uniform; P is symmetric. Whether it has no negative entry is up to the eigenvalues.

    Args:
        n_states: V; only to be checked against the number of eigenvalues.
        corr_len: xi, in tokens; only to be checked against the largest modulus.
        seed: unused; every family takes one.
        eigenvalues: (V-1,), each in [-1, 1), of the frequencies k = 1..V-1 in this order; the
            largest modulus above 0 and below 1.

    Raises:
        ChainError: an eigenvalue is out of range, or P has a negative entry, which is named.
    """
    given = np.array([1.0, *eigenvalues])  # (V,)
    if len(given) < 2:
        raise ChainError("eigenvalues", eigenvalues, "one or more: all but the eigenvalue 1")
    for k, value in enumerate(given[1:].tolist()):
        if not -1.0 <= value < 1.0:
            raise ChainError("eigenvalues", value, "-1 to below 1 each", f"entry {k} is {value!r}")
    slowest = float(np.abs(given[1:]).max())
    if not LEAST_SLOWEST <= slowest < NEARLY_ONE:
        reason = f"the largest modulus is {slowest!r}"
        allowed = "a largest modulus above 0 and below 1, by 1e-12 at least"
        raise ChainError("eigenvalues", slowest, allowed, reason)
    check_agrees("n_states", n_states, len(given), "the number of eigenvalues")
    check_agrees("corr_len", corr_len, float(-1.0 / np.log(slowest)), "the largest eigenvalue")
    basis = idct(np.eye(len(given)), axis=0, norm="ortho")  # (V, V), column k is u_k
    weights = (basis * given) @ basis.T
    row, column = np.unravel_index(np.argmin(weights), weights.shape)
    if weights[row, column] < NEGATIVE:
        reason = f"P[{row}, {column}] = {weights[row, column]:.6g} is negative"
        allowed = "eigenvalues that leave no entry of P negative, such as smaller ones"
        raise ChainError("eigenvalues", float(weights[row, column]), allowed, reason)
    weights = np.maximum(0.5 * (weights + weights.T), 0.0)
    degree = weights.sum(axis=1)  # 1, up to what was set to 0
    return markov_chain("spectrum", weights / degree[:, None], degree / degree.sum())

"""A chain given by its transition matrix."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import shortest_path

from rgcore.chain.chain import Chain
from rgcore.chain.checks import NEARLY_ONE, check_agrees
from rgcore.chain.errors import ChainError
from rgcore.chain.markov import markov_chain

ROW_SUM = 1e-9
"""How far the sum of a row may be from 1: what nine printed digits leave."""
LEAST_STATIONARY = 1e-300


def explicit(
    n_states: int | None = None,
    corr_len: float | None = None,
    seed: int = 0,  # noqa: ARG001 - nothing is random
    *,
    matrix: Sequence[Sequence[float]] | NDArray[np.float64],
) -> Chain:
    """The chain of a matrix that is stochastic, irreducible and aperiodic.

    It need not be reversible: eigenvalues may come in complex pairs. A matrix of equal rows has
    no memory and correlation length 0.

    Args:
        n_states: V; only to be checked against the matrix.
        corr_len: xi, in tokens; only to be checked against |l2|.
        seed: unused; every family takes one.
        matrix: (V, V), P[i, j] the probability of j after i; rows are brought to sum 1.

    Raises:
        ChainError: the matrix is none of such a chain; the error says where and why.
    """
    given = _stochastic(matrix)
    check_agrees("n_states", n_states, len(given), "matrix")
    _check_mixing(given)
    chain = markov_chain("explicit", given / given.sum(axis=1, keepdims=True))
    if not (chain.stationary >= LEAST_STATIONARY).all():
        state = int(np.argmin(chain.stationary))  # a NaN counts as the least
        reason = f"state {state} has a stationary probability too small for float64"
        raise ChainError("matrix", state, f"{LEAST_STATIONARY:g} or more for each state", reason)
    second = float(abs(chain.eigenvalues[1]))
    if second >= NEARLY_ONE:
        reason = f"|l2| is {second!r}: the chain does not mix"
        raise ChainError("matrix", second, "a chain with |l2| below 1 by 1e-12 at least", reason)
    check_agrees("corr_len", corr_len, chain.corr_len, "matrix")
    return chain


def _stochastic(matrix: Sequence[Sequence[float]] | NDArray[np.float64]) -> NDArray[np.float64]:
    """The matrix as float64, if its entries are probabilities and its rows laws."""
    allowed = "V rows of V numbers each, V 2 or more"
    try:
        entries = np.asarray(matrix)
    except ValueError:  # ragged
        raise ChainError("matrix", None, allowed, "its rows differ in length") from None
    if entries.ndim != 2 or entries.shape[0] != entries.shape[1] or len(entries) < 2:
        reason = f"its shape is {entries.shape}"
        raise ChainError("matrix", entries.shape, allowed, reason)
    if entries.dtype.kind not in "fiu":
        reason = f"its entries are of type {entries.dtype}"
        raise ChainError("matrix", str(entries.dtype), "real numbers", reason)
    values = entries.astype(np.float64)
    for wrong, allowed in (
        (~np.isfinite(values), "finite numbers"),
        (values < 0, "probabilities, 0 or more"),
    ):
        if wrong.any():
            i, j = np.argwhere(wrong)[0]
            value = float(values[i, j])
            raise ChainError("matrix", value, allowed, f"P[{i}, {j}] is {value!r}")
    total = values.sum(axis=1)
    row = int(np.argmax(np.abs(total - 1.0)))
    if abs(total[row] - 1.0) > ROW_SUM:
        reason = f"row {row} sums to {total[row]:.12g}"
        raise ChainError("matrix", float(total[row]), f"rows that sum to 1, to {ROW_SUM:g}", reason)
    return values


def _check_mixing(transition: NDArray[np.float64]) -> None:
    """Refuse a chain that is reducible or periodic, judging by which entries are zero."""
    steps = transition > 0  # (V, V)
    after = shortest_path(steps, unweighted=True, indices=0)  # (V,) steps from state 0
    before = shortest_path(steps.T, unweighted=True, indices=0)  # (V,) steps to state 0
    for far, text in (
        (after, "{0} cannot be reached from 0"),
        (before, "0 cannot be reached from {0}"),
    ):
        if np.isinf(far).any():
            state = int(np.flatnonzero(np.isinf(far))[0])
            reason = f"it is reducible: state {text.format(state)}"
            raise ChainError("matrix", state, "every state can be reached from every other", reason)
    begin, end = np.nonzero(steps)
    # all closed paths have lengths divisible by the period, so distances from 0 agree modulo it
    period = math.gcd(*(after[begin] + 1 - after[end]).astype(int).tolist())
    if period > 1:
        reason = f"it is periodic: a state can only return after multiples of {period} steps"
        raise ChainError("matrix", period, "period 1; a chance to stay anywhere is enough", reason)

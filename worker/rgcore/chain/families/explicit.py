"""A chain given by its transition matrix."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.csgraph import shortest_path

from rgcore.chain.chain import Chain
from rgcore.chain.checks import NEARLY_ONE, check_agrees
from rgcore.chain.errors import ChainError
from rgcore.chain.families.registry import family
from rgcore.chain.markov import markov_chain
from rgcore.chain.stationary import stationary_law

ROW_SUM = 1e-6
"""How far the sum of a row may be from 1: what float32, or six printed digits, leave."""
SUMS_TO_ONE = float(np.finfo(np.float64).eps)
"""A row that is this close is left alone: dividing it by its sum would only round it anew."""
LEAST_STATIONARY = 1e-300
"""Of a state; below, products of probabilities would leave the range of float64."""


@family
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
        matrix: (V, V), P[i, j] the probability of j after i; a row whose sum, correctly rounded,
            is not 1 within epsilon is divided by it.

    Raises:
        ChainError: the matrix is none of such a chain; the error says where and why.
    """
    given = _stochastic(matrix)
    check_agrees("n_states", n_states, len(given), "matrix")
    _check_mixing(given)
    stationary = stationary_law(given)
    if not (stationary >= LEAST_STATIONARY).all():
        stationary = np.nan_to_num(stationary)  # what has underflown altogether
        state = int(np.argmin(stationary))
        found = f"{stationary[state]:.3g}, too small for float64"
        reason = f"state {state} has a stationary probability of {found}"
        raise ChainError("matrix", state, f"{LEAST_STATIONARY:g} or more for each state", reason)
    chain = markov_chain("explicit", given, stationary)
    second = float(abs(chain.eigenvalues[1]))
    if second >= NEARLY_ONE:
        reason = f"|l2| is {second!r}: the chain does not mix"
        raise ChainError("matrix", second, "a chain with |l2| below 1 by 1e-12 at least", reason)
    check_agrees("corr_len", corr_len, chain.corr_len, "matrix")
    return chain


def _stochastic(matrix: ArrayLike) -> NDArray[np.float64]:
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
    total = np.array([math.fsum(row) for row in values])
    row = int(np.argmax(np.abs(total - 1.0)))
    if abs(total[row] - 1.0) > ROW_SUM:
        reason = f"row {row} sums to {total[row]:.12g}"
        raise ChainError("matrix", float(total[row]), f"rows that sum to 1, to {ROW_SUM:g}", reason)
    return np.asarray(np.where(np.abs(total - 1.0) > SUMS_TO_ONE, values.T / total, values.T).T)


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

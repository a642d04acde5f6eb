"""Whether given numbers make a Markov chain that forgets: checked without linear algebra."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

ROW_SUM_TOLERANCE = 1e-6
"""What float32, or six printed digits, leave of a sum of probabilities."""
SUMS_TO_ONE = 2.0**-52
"""A row that is this close is left alone: dividing it by its sum would only round it anew."""
NEGATIVE_TOLERANCE = 1e-12
"""Rounding of a sum of V cosines leaves less; a worker, who adds them otherwise, allows more."""


@dataclass(frozen=True)
class Defect:
    """Why a matrix is no such chain."""

    reason: str
    allowed: str


def normalised(matrix: Sequence[Sequence[float]]) -> tuple[tuple[float, ...], ...]:
    """The matrix with each row that nearly sums to 1 divided by its sum, correctly rounded.

    A matrix that comes out is left alone when it comes again, bit for bit. Rows that are no laws
    stay as they are, for `defect` to name.
    """
    return tuple(_normalised(row) for row in matrix)


def _normalised(row: Sequence[float]) -> tuple[float, ...]:
    total = math.fsum(row)
    if SUMS_TO_ONE < abs(total - 1.0) <= ROW_SUM_TOLERANCE:
        return tuple(value / total for value in row)
    return tuple(value + 0.0 for value in row)  # -0.0 and 0.0 are one number


@lru_cache(maxsize=16)  # every cell of a study has the same one
def defect(matrix: tuple[tuple[float, ...], ...]) -> Defect | None:
    """Why a matrix is not square, stochastic, irreducible and aperiodic; None if it is."""
    size = len(matrix)
    for index, row in enumerate(matrix):
        if len(row) != size:
            reason = f"row {index} has {len(row)} entries, there are {size} rows"
            return Defect(reason, "a square matrix")
        total = math.fsum(row)
        if abs(total - 1.0) > ROW_SUM_TOLERANCE:
            reason = f"row {index} sums to {total:.12g}"
            return Defect(reason, f"rows that sum to 1 within {ROW_SUM_TOLERANCE:g}")
    successors = [[j for j, p in enumerate(row) if p > 0] for row in matrix]
    predecessors: list[list[int]] = [[] for _ in range(size)]
    for state, after in enumerate(successors):
        for other in after:
            predecessors[other].append(state)
    forward, backward = _distances(successors), _distances(predecessors)
    for state in range(size):
        if forward[state] is None or backward[state] is None:
            start, end = (0, state) if forward[state] is None else (state, 0)
            reason = f"is reducible: state {end} is never reached from state {start}"
            return Defect(reason, "a matrix in which every state is reached from every other")
    period = _period(successors, forward)
    if period > 1:
        reason = f"is periodic: it returns to a state only after multiples of {period} steps"
        return Defect(reason, "an aperiodic matrix, such as one with an entry on the diagonal")
    return None


@lru_cache(maxsize=16)
def negative_entry(eigenvalues: tuple[float, ...]) -> tuple[int, int, float] | None:
    """The most negative P[i, j] of these V - 1 eigenvalues in the cosine basis; None if none is.

    P = sum_k l_k q_k q_k^T with q_k(i) = sqrt(2 / V) cos(pi k (i + 1/2) / V); a product of
    cosines is a sum of two, so P[i, j] = (1 + g(i - j) + g(i + j + 1)) / V.
    """
    size = len(eigenvalues) + 1
    shift = [
        math.fsum(
            value * math.cos(math.pi * k * m / size) for k, value in enumerate(eigenvalues, 1)
        )
        for m in range(2 * size)
    ]
    least, row, column = min(
        ((1.0 + shift[abs(i - j)] + shift[i + j + 1]) / size, i, j)
        for i in range(size)
        for j in range(i + 1)
    )
    return (row, column, least) if least < -NEGATIVE_TOLERANCE else None


def _distances(neighbours: Sequence[Sequence[int]]) -> list[int | None]:
    """Steps from state 0 to each state; None where there is no way."""
    found: list[int | None] = [None] * len(neighbours)
    found[0] = 0
    line = [0]
    for state in line:
        for other in neighbours[state]:
            if found[other] is None:
                found[other] = (found[state] or 0) + 1
                line.append(other)
    return found


def _period(successors: Sequence[Sequence[int]], distance: Sequence[int | None]) -> int:
    """Greatest common divisor of all cycle lengths (Denardo 1977)."""
    period = 0
    for state, after in enumerate(successors):
        for other in after:
            period = math.gcd(period, (distance[state] or 0) + 1 - (distance[other] or 0))
    return period

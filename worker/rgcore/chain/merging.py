"""Eigenvalues of a chain that can be split off without an eigenvalue solver, and what is left.

An eigenvalue of a Jordan block of size k is found by any solver to the k-th root of epsilon only:
of a memory that ends after ten steps, 0.03 is left. Such blocks come from states that differ in
nothing that lasts, and these are told from each other by comparing numbers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rgcore.chain.stationary import stationary_law

EPS = float(np.finfo(np.float64).eps)


def split_off(
    transition: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Eigenvalues of P that pairs of states carry, and the chain of all that is left.

    If two rows of P differ by c (e_i - e_j), then e_i - e_j is a left eigenvector with the
    eigenvalue c, and the others are those of the chain in which i and j are one state (strong
    lumpability, Kemeny & Snell 1960). To put them together only adds numbers of one sign. The
    same is done to the chain read backwards, which has the same eigenvalues, until no pair is
    left. Entries that differ by 4 V epsilon of themselves count as equal.

    Args:
        transition: (V, V), row-stochastic and irreducible.

    Returns:
        (V - W,) and (W, W), W from 1 to V: the eigenvalues of both together are those of P.
    """
    close = 4 * len(transition) * EPS
    found: list[float] = []
    left = transition
    fruitless = 0
    while fruitless < 2 and len(left) > 1:
        values, left = _merged(left, close)
        found += values
        fruitless = 0 if values else fruitless + 1
        if len(left) > 1:
            law = stationary_law(left)
            left = law * left.T / law[:, None]
    return np.array(found), left


def _merged(
    transition: NDArray[np.float64], close: float
) -> tuple[list[float], NDArray[np.float64]]:
    """One chain without pairs: the eigenvalues split off, and what is left."""
    step = transition.copy()
    n_states = len(step)
    places = np.arange(n_states)
    differ = np.stack([_differ(column, close) for column in step.T])  # (column, row, row)
    count = differ.sum(axis=0)  # columns in which two rows differ
    alive = np.ones(n_states, dtype=np.bool_)
    found: list[float] = []
    while True:
        own = differ[places, places]  # (i, j): whether row j differs from row i in column i
        pairs = np.triu(count == own.astype(int) + own.T, 1) & alive & alive[:, None]
        merged = False
        touched = np.zeros(n_states, dtype=np.bool_)
        for i, j in np.argwhere(pairs):
            if touched[i] or touched[j]:
                continue
            here, there = step[i, i] - step[j, i], step[j, j] - step[i, j]
            size = close * max(step[i, i], step[j, i], step[j, j], step[i, j])
            if abs(here - there) > size:
                continue
            value = 0.5 * (here + there)
            found.append(float(value) if abs(value) > size else 0.0)
            touched[i] = touched[j] = merged = True
            alive[j] = False
            step[:, i] += step[:, j]
            count -= differ[i].astype(int) + differ[j]
            differ[i], differ[j] = _differ(step[:, i], close), False
            count += differ[i]
        if not merged:
            return found, step[np.ix_(alive, alive)]


def _differ(column: NDArray[np.float64], close: float) -> NDArray[np.bool_]:
    """Whether two entries of a column are two numbers, (V, V)."""
    return np.abs(column[:, None] - column) > close * np.maximum(column[:, None], column)

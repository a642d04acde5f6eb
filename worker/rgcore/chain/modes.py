"""Eigenvalues and right eigenvectors of a transition matrix, without the trivial ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse.csgraph import connected_components

from rgcore.chain.deviation import Deviation
from rgcore.chain.merging import split_off
from rgcore.chain.stationary import stationary_law

ZERO = 1e-13
"""Below it an eigenvalue beside larger ones is what rounding leaves of 0: V epsilon, V = 450."""
FAINT = 1e-9
"""A memory below it is found in the deviation alone: beside the 1 its digits would be lost."""

Spectrum = NDArray[np.float64] | NDArray[np.complex128]


@dataclass(frozen=True)
class Modes:
    """What decays: the spectrum of P without the eigenvalue 1 of the constant vector.

    Attributes:
        eigenvalues: (V-1,), by falling modulus.
        vectors: (V, V-1), right eigenvectors in the same order, of mean 0 and variance 1 under pi.
        errors: (V-1,), how far rounding the entries of P, each in its last place, may move each
            eigenvalue.
    """

    eigenvalues: Spectrum
    vectors: Spectrum
    errors: NDArray[np.float64]


def modes(transition: NDArray[np.float64], stationary: NDArray[np.float64]) -> Modes:
    """The modes of a chain; real, and orthonormal under pi, for a reversible one.

    In detailed balance P is similar to the symmetric matrix of entries sqrt(P_ij P_ji), whose
    eigenvalues are found to about V times the float64 epsilon. Otherwise what states carry in
    pairs is split off, see `split_off`; of what is left, eigenvalues that rounding does not tell
    apart are set to their mean, which it hardly moves (Kato 1966; Wilkinson 1984). What it moves
    each by is its condition number times the rounding, and never more than Elsner's bound (1985).
    The columns of a defective eigenvalue (a Jordan block of size k) are k times one vector, nearly.

    Args:
        transition: (V, V), row-stochastic.
        stationary: (V,), pi.
    """
    deviation = Deviation.of(transition, stationary)
    if not deviation.symmetric:
        return _irreversible(transition, deviation)
    root = np.sqrt(stationary)
    half = np.sqrt(transition)
    # the trivial eigenvalue moves from 1 to 2, far from all others, which stay where they are
    rising, found = np.linalg.eigh(half * half.T + np.outer(root, root))
    values, floor = rising[:-1], ZERO
    tiny = np.sqrt(np.finfo(np.float64).tiny)  # where pi has underflown
    vectors = found[:, :-1] / np.maximum(root, tiny)[:, None]
    if np.abs(values).max() < FAINT:
        values, found = np.linalg.eigh(deviation.matrix)
        vectors, floor = deviation.functions @ found, deviation.noise
    errors = np.full(len(values), deviation.noise + 0.5 * deviation.current)
    return _ordered(values, vectors, errors, floor)


def _irreversible(transition: NDArray[np.float64], deviation: Deviation) -> Modes:
    solved, vectors, moved = _solved(deviation)
    split, left = split_off(transition)
    values = np.concatenate([split, _rest(left)]) if len(split) else _told_apart(solved, moved)
    place = linear_sum_assignment(np.abs(solved[:, None] - values))[1]
    values = values[place]  # to each that was solved for, its nearest
    errors = np.abs(values - solved) + moved
    if not values.imag.any():
        values = values.real
    return _ordered(values, deviation.functions @ vectors, errors, deviation.noise)


def _rest(transition: NDArray[np.float64]) -> Spectrum:
    """Eigenvalues beside the 1 of what is left of a chain of W states, (W-1,)."""
    if len(transition) == 1:
        return np.empty(0)
    deviation = Deviation.of(transition, stationary_law(transition))
    if deviation.symmetric:
        matrix = 0.5 * (deviation.matrix + deviation.matrix.T)
        return np.asarray(np.linalg.eigvalsh(matrix), np.float64)
    values, _, moved = _solved(deviation)
    return _told_apart(values, moved)


def _solved(deviation: Deviation) -> tuple[NDArray[np.complex128], Spectrum, NDArray[np.float64]]:
    """Eigenvalues, eigenvectors of norm 1, and how far rounding moves each eigenvalue."""
    found: Any = scipy.linalg.eig(deviation.matrix, left=True, right=True)  # its stubs know two
    values, left, right = found
    cosine = np.abs(np.einsum("ia,ia->a", left.conj(), right))
    furthest = 2.0 * deviation.noise ** (1.0 / len(values))
    with np.errstate(divide="ignore"):
        moved = np.minimum(deviation.noise / cosine, furthest)
    return values, right, moved


def _told_apart(
    values: NDArray[np.complex128], moved: NDArray[np.float64]
) -> NDArray[np.complex128]:
    """The eigenvalues; those that rounding does not tell apart are their mean."""
    together = np.abs(values[:, None] - values) <= 2 * np.minimum(moved[:, None], moved)
    count, cluster = connected_components(together, directed=False)
    found = values.copy()
    for members in (np.flatnonzero(cluster == one) for one in range(count)):
        mean = values[members].mean()
        if len(members) > 1:  # complex ones come in pairs, so that most means are real
            found[members] = mean.real if abs(mean.imag) <= moved[members].max() else mean
    return found


def _ordered(
    values: Spectrum, vectors: Spectrum, errors: NDArray[np.float64], floor: float
) -> Modes:
    values = np.where(np.abs(values) < floor, 0.0, values)
    order = np.argsort(-np.abs(values), kind="stable")
    return Modes(values[order], vectors[:, order], errors[order])

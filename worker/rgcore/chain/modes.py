"""Eigenvalues and right eigenvectors of a transition matrix, without the trivial ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BALANCE = 1e-10
"""A pair of flows this far apart, in units of sqrt(pi_i pi_j), is in balance; the eigenvalues of
the symmetrised matrix are then off by no more than V times as much."""
ZERO = 1e-13
"""Below it an eigenvalue is what rounding leaves of 0: V times the float64 epsilon, V = 450."""


@dataclass(frozen=True)
class Modes:
    """What decays: the spectrum of P without the eigenvalue 1 of the constant vector.

    Attributes:
        eigenvalues: (V-1,), by falling modulus.
        vectors: (V, V-1), right eigenvectors in the same order, of mean 0 and variance 1 under pi.
    """

    eigenvalues: NDArray[np.float64] | NDArray[np.complex128]
    vectors: NDArray[np.float64] | NDArray[np.complex128]


def in_detailed_balance(transition: NDArray[np.float64], stationary: NDArray[np.float64]) -> bool:
    """Whether pi_i P_ij = pi_j P_ji, to `BALANCE`: time runs both ways alike."""
    flow = stationary[:, None] * transition  # (V, V)
    root = np.sqrt(stationary)
    return bool((np.abs(flow - flow.T) <= BALANCE * np.outer(root, root)).all())


def modes(transition: NDArray[np.float64], stationary: NDArray[np.float64]) -> Modes:
    """The modes of a chain; real, and orthonormal under pi, for a reversible one.

    In detailed balance P is similar to the symmetric matrix of entries sqrt(P_ij P_ji), whose
    eigenvalues are found to about V times the float64 epsilon. Otherwise the general solver finds
    them; a defective eigenvalue (a Jordan block of size k) to about the k-th root of epsilon, and
    k columns are then one vector, nearly: each is an eigenvector, but together they do not span.
    A chain that forgets everything after finitely many steps has no eigenvalue but 0; for it
    they are set to that.

    Both solvers get P + 1 pi^T: the trivial eigenvalue moves from 1 to 2, far from all others,
    which stay where they are.

    Args:
        transition: (V, V), row-stochastic.
        stationary: (V,), pi.
    """
    if in_detailed_balance(transition, stationary):
        root = np.sqrt(stationary)
        half = np.sqrt(transition)
        rising, found = np.linalg.eigh(half * half.T + np.outer(root, root))
        tiny = np.sqrt(np.finfo(np.float64).tiny)  # where pi has underflown
        return _ordered(rising[:-1], found[:, :-1] / np.maximum(root, tiny)[:, None])
    values, vectors = np.linalg.eig(transition + stationary)
    others = np.delete(np.arange(len(values)), np.argmax(values.real))
    values, vectors = values[others], vectors[:, others]
    vectors = vectors / np.sqrt(stationary @ np.abs(vectors) ** 2)
    if _forgets(transition - stationary):
        values = np.zeros(len(values))
    return _ordered(values, vectors)


def _ordered(
    values: NDArray[np.float64] | NDArray[np.complex128],
    vectors: NDArray[np.float64] | NDArray[np.complex128],
) -> Modes:
    values = np.where(np.abs(values) < ZERO, 0.0, values)
    order = np.argsort(-np.abs(values), kind="stable")
    return Modes(values[order], vectors[:, order])


def _forgets(deviation: NDArray[np.float64]) -> bool:
    """Whether a power of P - 1 pi^T is zero: from one power to the next it drops to rounding."""
    power = np.eye(len(deviation))
    for _ in range(len(deviation)):
        power = power @ deviation
        size = np.abs(power).max()  # of this power, where the one before has size 1
        if size <= ZERO:
            return True
        power /= size
    return False

"""What a chain remembers, as a matrix in which lengths mean something."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EPS = float(np.finfo(np.float64).eps)
BALANCE = 1e-12
"""Of the size of the memory: currents below are what rounding leaves of detailed balance."""


@dataclass(frozen=True, eq=False)
class Deviation:
    """P - 1 pi^T as an operator on functions of mean 0, in a basis that is orthonormal under pi.

    It shortens every function, so that its norm is 1 at most, and it is symmetric exactly for a
    reversible chain. Its eigenvalues are those of P beside the 1.

    Attributes:
        matrix: (V-1, V-1), the operator.
        functions: (V, V-1), the basis: column a is a function of the state.
        noise: what rounding the entries of P, each in its last place, does to the matrix, a norm.
    """

    matrix: NDArray[np.float64]
    functions: NDArray[np.float64]
    noise: float

    @classmethod
    def of(cls, transition: NDArray[np.float64], stationary: NDArray[np.float64]) -> Deviation:
        """The deviation of a chain.

        The row of the likeliest state is subtracted in place of pi: on functions of mean 0 that is
        the same operator, and where rows are close it is exact, so that a memory of 1e-12 is
        found to as many digits as one of 1.

        Args:
            transition: (V, V), row-stochastic.
            stationary: (V,), pi.
        """
        n_states = len(stationary)
        root = np.sqrt(np.maximum(stationary, np.finfo(np.float64).tiny))
        ratio = root[:, None] / root  # sqrt(pi_i / pi_j)
        differences = transition - transition[int(np.argmax(stationary))]
        reflection = _reflection(root / np.linalg.norm(root))
        matrix = reflection.T @ (ratio * differences) @ reflection
        size = float(np.linalg.norm(ratio * transition))
        return cls(matrix, reflection / root[:, None], n_states * EPS * size)

    @property
    def size(self) -> float:
        """How much is remembered for one step, 0 to about sqrt(V): the Frobenius norm."""
        return float(np.linalg.norm(self.matrix))

    @property
    def current(self) -> float:
        """How far the chain is from detailed balance, in the same unit."""
        return float(np.linalg.norm(self.matrix - self.matrix.T))

    @property
    def symmetric(self) -> bool:
        """Whether the chain is reversible, as far as rounding leaves that to be seen."""
        return self.current <= BALANCE * self.size + self.noise


def _reflection(axis: NDArray[np.float64]) -> NDArray[np.float64]:
    """Orthonormal columns at right angles to a unit vector: (V, V-1), by Householder."""
    longest = int(np.argmax(np.abs(axis)))
    mirror = axis.copy()
    mirror[longest] += np.sign(axis[longest])
    columns = np.eye(len(axis)) - np.outer(mirror, mirror) / (1.0 + abs(axis[longest]))
    return np.delete(columns, longest, axis=1)

"""Which functions a measurement calls: each registers itself, beside what it computes.

A file of this folder that registers a function is measured; nothing else names it but its row in
`rgcontract.observables`, which says what it means.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rgcore.observables.centring import gram_decomposition


@dataclass(frozen=True, eq=False)
class LayerMoments:
    """What observables are read off: sums over n rows about their mean.

    G groups of rows, K = L + 1 layers of width d.

    Attributes:
        n_rows: n.
        grams: (G, K, d, d), X_l^T X_l.
        crosses: (G, L, d, d), X_l^T X_{l+1}.
        norms2: (G, K, K), |X_l^T X_m|^2; nan for pairs that are not kept.
        quartic: (G, K, K), sum_i |x_i|^2 |y_i|^2 of rows x of layer l and y of layer m.
        power: (G, K), sum_i |x_i|^2.
    """

    n_rows: int
    grams: NDArray[np.float64]
    crosses: NDArray[np.float64]
    norms2: NDArray[np.float64]
    quartic: NDArray[np.float64]
    power: NDArray[np.float64]

    @cached_property
    def decomposition(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Eigenvalues (G, K, d) of the Gram matrices, falling, and eigenvectors (G, K, d, d)."""
        return gram_decomposition(self.grams)

    @property
    def spectrum(self) -> NDArray[np.float64]:
        """Eigenvalues (G, K, d) of the Gram matrices, falling."""
        return self.decomposition[0]


OfMoments = Callable[[LayerMoments], NDArray[np.float64]]
OfDrift = Callable[[NDArray[np.float64]], NDArray[np.float64]]
Function = TypeVar("Function", bound=Callable[..., NDArray[np.float64]])

PER_LAYER: dict[str, OfMoments] = {}
"""By name, functions to (G, K)."""
PER_DIMENSION: dict[str, OfMoments] = {}
"""To (G, K, d)."""
PER_TRANSITION: dict[str, OfMoments] = {}
"""To (G, L), between a layer and the next."""
PER_PAIR: dict[str, OfMoments] = {}
"""To (G, K, K), of every layer with every layer."""
OF_DRIFT: dict[str, OfDrift] = {}
"""Of the kernel drift (L,): to () or (L,)."""


def measured(table: dict[str, Function], name: str) -> Callable[[Function], Function]:
    """Have a function measured under a name: a decorator, or called with the function."""

    def register(function: Function) -> Function:
        table[name] = function
        return function

    return register


def between_neighbours(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each layer with the next: (..., K, K) to (..., L)."""
    return np.diagonal(matrix, 1, axis1=-2, axis2=-1)

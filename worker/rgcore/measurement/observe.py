"""From moments to observables, with a reason for every number that does not exist."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rgcore.measurement.moments import Moments
from rgcore.measurement.reasons import CODE, Codes, coded
from rgcore.measurement.rounding import does_not_vary
from rgcore.observables.registry import (
    OF_DRIFT,
    PER_DIMENSION,
    PER_LAYER,
    PER_PAIR,
    PER_TRANSITION,
    LayerMoments,
    OfMoments,
)

LEAST_ROWS_UNBIASED = 4
"""Rows that an unbiased estimate of a squared covariance takes."""


@dataclass(frozen=True, eq=False)
class Observed:
    """Observables, and why entries of them are nan.

    Attributes:
        arrays: by name.
        codes: by name, of the same shape; not 0 where the array is nan.
    """

    arrays: dict[str, NDArray[np.float64]]
    codes: dict[str, Codes]

    def __or__(self, other: Observed) -> Observed:
        return Observed(self.arrays | other.arrays, self.codes | other.codes)

    def group(self, index: int) -> Observed:
        """One of the groups along the first axis."""
        return self._each(lambda array: array[index], lambda code: code[index])

    def mean(self, groups: slice) -> Observed:
        """Mean over some of the groups; nan where one of them is, or where there is none."""
        inside = self._each(lambda array: array[groups], lambda code: code[groups])
        if all(len(array) > 0 for array in inside.arrays.values()):
            return inside._each(lambda array: array.mean(axis=0), lambda code: code.max(axis=0))
        return self._each(
            lambda array: np.full(array.shape[1:], np.nan),
            lambda code: np.full(code.shape[1:], CODE["no_full_context"]),
        )

    def _each(
        self,
        of_array: Callable[[NDArray[np.float64]], NDArray[np.float64]],
        of_code: Callable[[Codes], Codes],
    ) -> Observed:
        return Observed(
            {name: np.asarray(of_array(array)) for name, array in self.arrays.items()},
            {name: np.asarray(of_code(code)) for name, code in self.codes.items()},
        )


def joined(parts: Sequence[Observed]) -> Observed:
    """Observables of consecutive chunks of groups as those of all groups."""
    names = parts[0].arrays
    return Observed(
        {name: np.concatenate([part.arrays[name] for part in parts]) for name in names},
        {name: np.concatenate([part.codes[name] for part in parts]) for name in names},
    )


def with_codes(arrays: dict[str, NDArray[np.float64]], codes: Codes, otherwise: str) -> Observed:
    """Arrays with the reasons of what does not exist in them.

    Args:
        arrays: that become nan where there is a code.
        codes: that broadcast to each of them.
        otherwise: the reason where an array is not finite and has no code.
    """
    kept = {
        name: np.where((codes == 0) & np.isfinite(array), array, np.nan)
        for name, array in arrays.items()
    }
    return Observed(kept, {name: coded(array, codes, otherwise) for name, array in kept.items()})


def observe(moments: Moments, precision: float, *, all_pairs: bool = True) -> Observed:
    """The observables of each of G groups, K = L + 1 layers of width d.

    What is registered in `rgcore.observables`: (G, K) of each layer, (G, K, d) of each of its
    dimensions, (G, L) between a layer and the next, and (G, K, K) of all pairs of layers.

    Args:
        moments: of the layers.
        precision: epsilon of the arithmetic that the activations were computed in.
        all_pairs: whether the last are wanted.
    """
    n = moments.n_rows
    moments = moments.centred()
    given = _layer_moments(moments)
    layer = _layer_codes(moments, given.power, precision)  # (G, K)
    pair = np.maximum(layer[:, :, None], layer[:, None, :])  # (G, K, K)
    otherwise = "below_noise" if n >= LEAST_ROWS_UNBIASED else "too_few_rows"

    def observed(table: dict[str, OfMoments], codes: Codes) -> Observed:
        found = {name: function(given) for name, function in table.items()}
        return with_codes(found, codes, otherwise)

    found = (
        observed(PER_LAYER, layer)
        | observed(PER_DIMENSION, layer[:, :, None])
        | observed(PER_TRANSITION, np.maximum(layer[:, :-1], layer[:, 1:]))
    )
    if not all_pairs:
        return found
    return found | observed(
        PER_PAIR, pair if moments.complete else np.full_like(pair, CODE["too_large"])
    )


def transitions(drift: NDArray[np.float64], codes: Codes) -> Observed:
    """Where along the depth the drift sits, of a drift (L,) and its codes.

    What is registered in `rgcore.observables`: () of the whole depth, (L,) of each transition.
    """
    arrays = {name: function(drift) for name, function in OF_DRIFT.items()}
    worst = codes.max(keepdims=True)[0]
    return Observed(
        arrays, {name: coded(array, worst, "no_drift") for name, array in arrays.items()}
    )


def _layer_moments(moments: Moments) -> LayerMoments:
    layers = range(moments.shape[1])
    return LayerMoments(
        n_rows=moments.n_rows,
        grams=_stacked([moments.block(layer, layer) for layer in layers]),
        crosses=_stacked([moments.block(layer, layer + 1) for layer in layers[:-1]]),
        norms2=_norms2(moments).cpu().numpy(),
        quartic=moments.quartic.cpu().numpy(),
        power=moments.power.cpu().numpy(),
    )


def _layer_codes(moments: Moments, power: NDArray[np.float64], precision: float) -> Codes:
    """Why a layer has no observable, of moments about the mean: (G, K)."""
    n = moments.n_rows
    mean2 = moments.reference.square().sum(dim=-1).cpu().numpy()  # (G, K)
    layer = np.zeros(power.shape, dtype=np.uint8)
    layer[does_not_vary(power / max(n, 1), mean2, precision)] = CODE["constant_layer"]
    layer[~np.isfinite(power)] = CODE["not_finite"]
    if n < 2:
        layer[:] = CODE["too_few_rows"]
    return layer


def _stacked(blocks: Sequence[Tensor]) -> NDArray[np.float64]:
    """Blocks (G, d, d) side by side: (G, blocks, d, d)."""
    return np.asarray(torch.stack(list(blocks), dim=1).cpu().numpy())


def _norms2(moments: Moments) -> Tensor:
    """Squared Frobenius norms of all blocks, (G, K, K); nan for pairs that are not kept."""
    norms2 = torch.full_like(moments.quartic, torch.nan)
    for layer, gram in enumerate(moments.gram):
        kept = slice(moments.first(layer), layer + 1)
        norms2[:, kept, layer] = norms2[:, layer, kept] = gram.square().sum(dim=(1, 3))
    return norms2

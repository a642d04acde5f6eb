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
from rgcore.observables import (
    cka_matrix_debiased_from_moments,
    cka_matrix_from_moments,
    effective_rank_from_spectrum,
    effective_transitions,
    frobenius_drift_from_cka,
    gram_decomposition,
    participation_ratio_corrected_from_moments,
    participation_ratio_from_spectrum,
    plateau_layers,
    procrustes_distance_from_moments,
    spectrum_from_spectrum,
    stable_rank_from_spectrum,
    subspace_angle_from_decompositions,
    top_two_share,
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

    (G, K) `effective_rank`, `participation_ratio`, `participation_ratio_corrected` and
    `stable_rank`; (G, K, d) `spectrum`; (G, L), between a layer and the next, `kernel_drift`,
    `kernel_drift_debiased`, `frobenius_drift`, `procrustes_distance` and `subspace_angle`;
    (G, K, K) `cka` and `cka_debiased`, of all pairs of layers.

    Args:
        moments: of the layers.
        precision: epsilon of the arithmetic that the activations were computed in.
        all_pairs: whether the last two are wanted.
    """
    n = moments.n_rows
    moments = moments.centred()
    layers = range(moments.shape[1])
    grams = _stacked([moments.block(layer, layer) for layer in layers])  # (G, K, d, d)
    crosses = _stacked([moments.block(layer, layer + 1) for layer in layers[:-1]])  # (G, L, d, d)
    norms2 = _norms2(moments).cpu().numpy()  # (G, K, K)
    quartic, traces = moments.quartic.cpu().numpy(), moments.power.cpu().numpy()
    values, vectors = gram_decomposition(grams)  # (G, K, d), (G, K, d, d)
    cka = cka_matrix_from_moments(norms2)
    debiased = cka_matrix_debiased_from_moments(norms2, quartic, traces, n)
    per_layer = {
        "effective_rank": effective_rank_from_spectrum(values),
        "participation_ratio": participation_ratio_from_spectrum(values),
        "participation_ratio_corrected": participation_ratio_corrected_from_moments(
            grams, np.diagonal(quartic, axis1=-2, axis2=-1), n
        ),
        "stable_rank": stable_rank_from_spectrum(values),
    }
    per_pair = {
        "kernel_drift": 1.0 - _next(cka),
        "kernel_drift_debiased": 1.0 - _next(debiased),
        "frobenius_drift": frobenius_drift_from_cka(_next(cka)),
        "procrustes_distance": procrustes_distance_from_moments(
            grams[:, :-1], grams[:, 1:], crosses
        ),
        "subspace_angle": subspace_angle_from_decompositions(
            (values[:, :-1], vectors[:, :-1]), (values[:, 1:], vectors[:, 1:]), crosses
        ),
    }
    mean2 = moments.reference.square().sum(dim=-1).cpu().numpy()  # (G, K)
    layer = np.zeros(traces.shape, dtype=np.uint8)  # (G, K)
    layer[does_not_vary(traces / max(n, 1), mean2, precision)] = CODE["constant_layer"]
    layer[~np.isfinite(traces)] = CODE["not_finite"]
    if n < 2:
        layer[:] = CODE["too_few_rows"]
    both = np.maximum(layer[:, :, None], layer[:, None, :])  # (G, K, K)
    otherwise = "below_noise" if n >= LEAST_ROWS_UNBIASED else "too_few_rows"
    found = (
        with_codes(per_layer, layer, otherwise)
        | with_codes({"spectrum": spectrum_from_spectrum(values)}, layer[:, :, None], otherwise)
        | with_codes(per_pair, np.maximum(layer[:, :-1], layer[:, 1:]), otherwise)
    )
    if not all_pairs:
        return found
    matrices = {"cka": cka, "cka_debiased": debiased}
    codes = both if moments.complete else np.full_like(both, CODE["too_large"])
    return found | with_codes(matrices, codes, otherwise)


def transitions(drift: NDArray[np.float64], codes: Codes) -> Observed:
    """Where along the depth the drift sits, of a drift (L,) and its codes.

    `effective_transitions` and `top_two_share`, (); `plateau_layers` (L,), at a tenth of the
    largest drift.
    """
    arrays = {
        "effective_transitions": effective_transitions(drift),
        "top_two_share": top_two_share(drift),
        "plateau_layers": plateau_layers(drift),
    }
    worst = codes.max(keepdims=True)[0]
    return Observed(
        arrays, {name: coded(array, worst, "no_drift") for name, array in arrays.items()}
    )


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


def _next(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each layer with the next: (G, K, K) to (G, L)."""
    return np.diagonal(matrix, 1, axis1=-2, axis2=-1)

"""From moments to observables, with a reason for every number that does not exist."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rgcore.measurement.moments import Moments
from rgcore.observables import (
    effective_rank_from_spectrum,
    gram_spectrum,
    linear_cka_from_grams,
    participation_ratio_from_spectrum,
    spectrum_from_spectrum,
    stable_rank_from_spectrum,
)

REASONS: dict[str, str] = {
    "too_few_rows": "fewer than two rows",
    "not_finite": "an activation is inf or nan",
    "constant_layer": "all rows are equal",
    "no_full_context": "no position has its whole window inside the sequence",
}
"""Reason code of a nan, to what it means."""


@dataclass(frozen=True, eq=False)
class LevelMeasurement:
    """The observables of one level; L + 1 layers of width d, T positions.

    Attributes:
        n_rows: rows of the matrices they come from; at level `position`, of each one.
        arrays: by name: `effective_rank`, `participation_ratio`, `stable_rank` (L + 1,);
            `spectrum` (L + 1, d); `kernel_drift` (L,), between a layer and the next; at level
            `position` means over the positions with full context, and all but the spectrum as
            `..._by_position` (T, L + 1) and (T, L) too.
        reasons: name of an array, to flat index, to why that entry is nan: a code of `REASONS`.
    """

    n_rows: int
    arrays: dict[str, NDArray[np.float64]]
    reasons: dict[str, dict[int, str]]


@dataclass(frozen=True, eq=False)
class Observed:
    """The observables of G groups of rows, each by itself.

    Attributes:
        arrays: by name: (G, L + 1), (G, L + 1, d) for the spectrum, (G, L) for the drift.
        codes: (G, L + 1), why a layer has none; empty where it has.
    """

    arrays: dict[str, NDArray[np.float64]]
    codes: NDArray[np.str_]


def observe(moments: Moments) -> Observed:
    """The observables of each group."""
    grams = moments.gram.transpose(0, 1).cpu().numpy()  # (G, L + 1, d, d)
    crosses = moments.cross.transpose(0, 1).cpu().numpy()  # (G, L, d, d)
    values = gram_spectrum(grams)  # (G, L + 1, d)
    codes = np.full(values.shape[:2], "", dtype="<U16")
    codes[(values == 0).all(axis=-1)] = "constant_layer"
    codes[~np.isfinite(values).all(axis=-1)] = "not_finite"
    if moments.n_rows < 2:
        codes[:] = "too_few_rows"
    values = np.where(codes[..., None] == "", values, np.nan)
    drift = 1.0 - linear_cka_from_grams(grams[:, :-1], grams[:, 1:], crosses)
    arrays = {
        "effective_rank": effective_rank_from_spectrum(values),
        "participation_ratio": participation_ratio_from_spectrum(values),
        "stable_rank": stable_rank_from_spectrum(values),
        "spectrum": spectrum_from_spectrum(values),
        "kernel_drift": np.where(_drift_codes(codes) == "", np.maximum(drift, 0.0), np.nan),
    }
    return Observed(arrays, codes)


def of_one_group(moments: Moments) -> LevelMeasurement:
    """The observables of a level with one matrix per layer."""
    observed = observe(moments)
    arrays = {name: array[0] for name, array in observed.arrays.items()}
    reasons = _reasons(arrays, observed.codes[0])
    return LevelMeasurement(moments.n_rows, arrays, reasons)


def of_positions(observed: list[Observed], n_rows: int, full: slice) -> LevelMeasurement:
    """The observables of level `position`.

    Args:
        observed: of consecutive chunks of positions, all T together.
        n_rows: sequences.
        full: the positions with full context.
    """
    names = observed[0].arrays
    by_position = {name: np.concatenate([o.arrays[name] for o in observed]) for name in names}
    codes = np.concatenate([o.codes for o in observed])  # (T, L + 1)
    inside = codes[full]
    if len(inside) == 0:
        inside = np.full((1, codes.shape[1]), "no_full_context")
        averaged = {name: np.full_like(array[0], np.nan) for name, array in by_position.items()}
    else:
        averaged = {name: array[full].mean(axis=0) for name, array in by_position.items()}
    worst = _worst(inside)
    reasons = _reasons(averaged, worst, drift=_worst(_drift_codes(inside)))
    del by_position["spectrum"]  # T (L + 1) d numbers that nobody reads
    reasons_by_position = _reasons(by_position, codes)
    return LevelMeasurement(
        n_rows,
        averaged | {_by_position(name): array for name, array in by_position.items()},
        reasons | {_by_position(name): part for name, part in reasons_by_position.items()},
    )


def _worst(codes: NDArray[np.str_]) -> NDArray[np.str_]:
    """One code per layer out of those of all positions; an empty code sorts first."""
    worst: NDArray[np.str_] = np.sort(codes, axis=0)[-1]
    return worst


def _by_position(name: str) -> str:
    return f"{name}_by_position"


def _drift_codes(codes: NDArray[np.str_]) -> NDArray[np.str_]:
    """Why the drift between a layer and the next does not exist: (..., L + 1) to (..., L)."""
    before, after = codes[..., :-1], codes[..., 1:]
    return np.where(before == "", after, before)


def _reasons(
    arrays: dict[str, NDArray[np.float64]],
    codes: NDArray[np.str_],
    drift: NDArray[np.str_] | None = None,
) -> dict[str, dict[int, str]]:
    """The reason of every nan, out of the codes (..., L + 1) of the layers."""
    found = {}
    for name, array in arrays.items():
        of_array = codes
        if name == "kernel_drift":
            of_array = _drift_codes(codes) if drift is None else drift
        if name == "spectrum":
            of_array = codes[..., None]
        flat = np.broadcast_to(of_array, array.shape).ravel()
        if where := np.flatnonzero(np.isnan(array)).tolist():
            found[name] = {index: str(flat[index]) for index in where}
    return found

"""What a measurement says of one kind of rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rgcore.measurement.observe import Observed, transitions
from rgcore.measurement.reasons import spelled

ROWS_PER_DIMENSION = 10
"""Below it a Gram matrix is mostly noise."""
MOST_SHIFT = 0.01
"""Largest relative move of an effective rank between n/2 and n sequences."""
BY_POSITION = ("effective_rank", "kernel_drift")
"""Quantities of level `position` that are also kept for each position by itself."""


@dataclass(frozen=True, eq=False)
class LevelMeasurement:
    """The observables of one level; K = L + 1 layers of width d, T positions.

    Attributes:
        n_rows: rows of the matrices they come from; at level `position`, of each one.
        arrays: by name, from n sequences: those of `observe` and `transitions` without their
            group axis; at level `position` means over the positions with full context (those of
            `transitions`, of the mean drift), and `effective_rank_by_position` (T, K) and
            `kernel_drift_by_position` (T, L) too.
        half: the same from the first n // 2 sequences.
        reasons: name of an array, to flat index, to why that entry is nan: a key of `REASONS`.
        half_reasons: the same for `half`.
        too_few_samples: fewer than `ROWS_PER_DIMENSION` rows per dimension, or an effective rank
            that moves by more than `MOST_SHIFT` from `half` to `arrays`.
    """

    n_rows: int
    arrays: dict[str, NDArray[np.float64]]
    half: dict[str, NDArray[np.float64]]
    reasons: dict[str, dict[int, str]]
    half_reasons: dict[str, dict[int, str]]
    too_few_samples: bool

    @classmethod
    def of(cls, whole: Observed, half: Observed, *, n_rows: int, width: int) -> LevelMeasurement:
        """Out of what n and n // 2 sequences say."""
        return cls(
            n_rows=n_rows,
            arrays=whole.arrays,
            half=half.arrays,
            reasons=spelled(whole.codes),
            half_reasons=spelled(half.codes),
            too_few_samples=n_rows < ROWS_PER_DIMENSION * width or _moves(whole, half),
        )


def of_one_group(observed: Observed) -> Observed:
    """The observables of a level with one matrix per layer."""
    return _with_transitions(observed.group(0))


def of_positions(observed: Observed, full: slice) -> Observed:
    """The observables of level `position`.

    Args:
        observed: of all T positions.
        full: the positions with full context.
    """
    kept = Observed(
        {f"{name}_by_position": observed.arrays[name] for name in BY_POSITION},
        {f"{name}_by_position": observed.codes[name] for name in BY_POSITION},
    )
    return _with_transitions(observed.mean(full)) | kept


def _with_transitions(observed: Observed) -> Observed:
    name = "kernel_drift"
    return observed | transitions(observed.arrays[name], observed.codes[name])


def _moves(whole: Observed, half: Observed) -> bool:
    """Whether an effective rank moves, or exists in one of the two only."""
    if "effective_rank" not in whole.arrays:
        return False
    rank, before = whole.arrays["effective_rank"], half.arrays["effective_rank"]
    still = np.abs(rank - before) <= MOST_SHIFT * rank
    return not bool((still | (np.isnan(rank) & np.isnan(before))).all())

"""A quantity over runs: the core's statistics on the store's records."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rgcore import statistics
from rgstore.records import CONFIDENCE, RunValues, Summary


def summarise(values: RunValues) -> Summary:
    """Mean, standard error and bootstrap interval: over seeds, or over chains if there are several.

    Runs of one chain share its draw: with several chains, they are what is sampled.
    """
    stacked = np.array([quantity.values for quantity in values.of_run])  # (R, size)
    chains = [chain_seed for chain_seed, _ in values.runs]
    summary = statistics.summarise(stacked, confidence=CONFIDENCE, groups=chains)
    reasons: dict[str, set[int]] = {}
    for quantity in values.of_run:
        for reason, indexes in quantity.reasons.items():
            reasons.setdefault(reason, set()).update(indexes)
    return Summary(
        mean=summary.mean.tolist(),
        standard_error=summary.standard_error.tolist(),
        low=summary.low.tolist(),
        high=summary.high.tolist(),
        half_shift=_half_shift(values, stacked, chains),
        reasons={reason: sorted(indexes) for reason, indexes in reasons.items()},
    )


def _half_shift(values: RunValues, whole: np.ndarray, chains: Sequence[int]) -> list[float] | None:
    """Mean of (value from all samples - value from half of them), over what the mean is over."""
    halves = [quantity.half for quantity in values.of_run if quantity.half is not None]
    if len(halves) < len(whole):
        return None
    shifts = whole - np.array(halves)
    shift: list[float] = statistics.summarise(shifts, groups=chains, n_resamples=1).mean.tolist()
    return shift

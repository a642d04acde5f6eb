"""A quantity over seeds: the core's statistics on the store's records."""

from __future__ import annotations

import numpy as np

from rgcore import statistics
from rgstore.records import CONFIDENCE, SeedValues, Summary


def summarise(values: SeedValues) -> Summary:
    """Mean, standard error and bootstrap interval over the seeds."""
    stacked = np.array([quantity.values for quantity in values.of_seed])  # (S, size)
    summary = statistics.summarise(stacked, confidence=CONFIDENCE)
    reasons: dict[str, set[int]] = {}
    for quantity in values.of_seed:
        for reason, indexes in quantity.reasons.items():
            reasons.setdefault(reason, set()).update(indexes)
    return Summary(
        mean=summary.mean.tolist(),
        standard_error=summary.standard_error.tolist(),
        low=summary.low.tolist(),
        high=summary.high.tolist(),
        reasons={reason: sorted(indexes) for reason, indexes in reasons.items()},
    )

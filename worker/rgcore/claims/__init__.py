"""Verdicts on the three claims, from measurements that are paired seed by seed."""

from rgcore.claims.effect import Effect
from rgcore.claims.finding import Finding, Verdict
from rgcore.claims.localized import localized_drift
from rgcore.claims.monotone import monotone_collapse
from rgcore.claims.order import kendall_tau, page_p_value
from rgcore.claims.selective import selective_collapse
from rgcore.claims.thresholds import (
    ALPHA,
    CONFIDENCE,
    LEAST_SEEDS,
    LEAST_TRANSITIONS,
    LOCALIZED,
    NEGLIGIBLE,
    WEAK_ORDER,
)

__all__ = [
    "ALPHA",
    "CONFIDENCE",
    "LEAST_SEEDS",
    "LEAST_TRANSITIONS",
    "LOCALIZED",
    "NEGLIGIBLE",
    "WEAK_ORDER",
    "Effect",
    "Finding",
    "Verdict",
    "kendall_tau",
    "localized_drift",
    "monotone_collapse",
    "page_p_value",
    "selective_collapse",
]

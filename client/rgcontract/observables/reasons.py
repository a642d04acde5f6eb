"""Why a number does not exist."""

from __future__ import annotations

REASONS: dict[str, str] = {
    "constant_layer": "all rows are equal, up to the rounding of the activations",
    "too_few_rows": "too few rows for the estimator",
    "not_finite": "the network overflowed: an activation is inf or nan",
    "no_full_context": "no position has its whole window inside the sequence",
    "below_noise": "an unbiased estimate that is divided by is not above zero",
    "no_drift": "no transition between layers changes anything",
    "no_memory": "the chain has no memory: there is nothing to be read of a hidden token",
    "no_irrelevant_tokens": "too few hidden tokens have two visible ones to each side in view",
    "constant_target": "what is to be read does not vary",
    "decays_within_a_lag": "the correlation is lost within two tokens: too few points for a line",
    "does_not_decay": "the correlation does not fall with distance",
    "too_few_lags": "fewer than three tokens: too few points for a line",
    "too_large": "all pairs of layers together do not fit in memory",
}
"""Reason why a number is null, to what it means."""

OF_LAYER = ("constant_layer", "too_few_rows", "not_finite")
"""Of whatever is read off rows."""
OF_POSITIONS = (*OF_LAYER, "no_full_context")
"""Of what is a mean over positions at level `position`."""

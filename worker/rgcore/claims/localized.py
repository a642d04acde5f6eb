"""Claim (iii): the change between layers sits in one or two transitions."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rgcore.claims.effect import Effect, mean_effect
from rgcore.claims.finding import Finding, finding
from rgcore.claims.profiles import paired_profiles
from rgcore.claims.thresholds import LEAST_TRANSITIONS, LOCALIZED
from rgcore.observables.plateau import effective_transitions, top_two_share

LEAST_DRIFT = 1e-9
"""Total drift up to which there is none: 1 - CKA of equal layers is rounding."""


def localized_drift(
    drift: ArrayLike, untrained: ArrayLike | None = None, *, n_resamples: int = 2000
) -> Finding:
    """Whether the kernel drift sits in few transitions, N = exp(H(D / sum D)) of them.

    - supported: the interval of the mean N below `LOCALIZED`, and L >= `LEAST_TRANSITIONS`.
    - refuted: the interval above `LOCALIZED`.

    Args:
        drift: (S, L) drift of transitions 0..L-1, trained. A seed without drift is dropped.
        untrained: (S, L) of the same seeds before training; compared, decides nothing.
        n_resamples: of the bootstrap intervals, which decide nothing; 0 leaves them out.

    Raises:
        ValueError: shapes that cannot be paired.
    """
    before = drift if untrained is None else untrained
    after, before = (_resolved(one) for one in paired_profiles(1, drift=drift, untrained=before))
    if after.shape != before.shape:
        raise ValueError(f"untrained has shape {before.shape}; allowed: {after.shape}, as drift")
    n_transitions = after.shape[1]
    effects = _effects(after, n_resamples)
    if untrained is not None:
        effects |= _beside_untrained(after, before, n_resamples)
    number = effects["effective_transitions"]
    n_kept = sum(value is not None for value in number.per_seed)
    return finding(
        "localized",
        (n_kept, len(after) - n_kept),
        effects,
        against=_against(number, n_transitions),
        for_it=_for_it(number, n_transitions),
        open_because=_open(number, n_transitions),
    )


def _resolved(drift: NDArray[np.float64]) -> NDArray[np.float64]:
    """The drift (S, L), nan for a seed that has none but rounding."""
    total = np.maximum(drift, 0.0).sum(axis=1, keepdims=True)
    return np.where(total > LEAST_DRIFT, drift, np.nan)


def _effects(drift: NDArray[np.float64], n_resamples: int) -> dict[str, Effect]:
    n_transitions = drift.shape[1]
    equal = min(1.0, 2.0 / n_transitions)
    return {
        "effective_transitions": mean_effect(
            effective_transitions(drift),
            _number(n_transitions),
            null=LOCALIZED,
            bounds=(1.0, n_transitions),
            n_resamples=n_resamples,
        ),
        "top_two_share": mean_effect(
            top_two_share(drift),
            f"share of the drift in the two largest transitions, {equal:.3g} (equal drift) to 1",
            null=equal,
            bounds=(equal, 1.0),
            n_resamples=n_resamples,
        ),
    }


def _beside_untrained(
    drift: NDArray[np.float64], untrained: NDArray[np.float64], n_resamples: int
) -> dict[str, Effect]:
    n_transitions = drift.shape[1]
    reach = n_transitions - 1.0
    before = effective_transitions(untrained)
    return {
        "effective_transitions_untrained": mean_effect(
            before,
            f"{_number(n_transitions)}, untrained",
            null=LOCALIZED,
            bounds=(1.0, n_transitions),
            n_resamples=n_resamples,
        ),
        "effective_transitions_from_training": mean_effect(
            effective_transitions(drift) - before,
            "effective number of transitions, trained minus untrained",
            null=0.0,
            bounds=(-reach, reach),
            n_resamples=n_resamples,
        ),
    }


def _number(n_transitions: int) -> str:
    return f"effective number of transitions, 1 to {n_transitions} (equal drift)"


def _against(number: Effect, n_transitions: int) -> str:
    if not number.above(LOCALIZED):
        return ""
    return (
        f"The drift is spread over {number} of {n_transitions} transitions, more than {LOCALIZED:g}"
    )


def _for_it(number: Effect, n_transitions: int) -> str:
    if not number.below(LOCALIZED) or n_transitions < LEAST_TRANSITIONS:
        return ""
    return f"The drift sits in {number} of {n_transitions} transitions, fewer than {LOCALIZED:g}"


def _open(number: Effect, n_transitions: int) -> str:
    if number.below(LOCALIZED):
        return (
            f"The drift sits in {number} transitions, but a network of {n_transitions} cannot show "
            f"that this is few: at least {LEAST_TRANSITIONS} are needed"
        )
    return (
        f"Neither shown nor excluded: the drift sits in {number} of {n_transitions} transitions, "
        f"and {LOCALIZED:g} is within the interval"
    )

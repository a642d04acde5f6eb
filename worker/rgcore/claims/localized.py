"""Claim (iii): the change between layers sits in one or two transitions."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr

from rgcore.claims.effect import Effect, mean_effect
from rgcore.claims.finding import Finding, finding
from rgcore.claims.profiles import paired_profiles
from rgcore.claims.thresholds import LEAST_TRANSITIONS, LOCALIZED

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
    after, before = paired_profiles(1, drift=drift, untrained=before)
    if after.shape != before.shape:
        raise ValueError(f"untrained has shape {before.shape}; allowed: {after.shape}, as drift")
    n_transitions = after.shape[1]

    def effect(
        values: NDArray[np.float64], meaning: str, null: float, low: float, high: float
    ) -> Effect:
        return mean_effect(values, meaning, null=null, bounds=(low, high), n_resamples=n_resamples)

    numbers = effective_transitions(after)
    number = effect(
        numbers,
        f"effective number of transitions, 1 to {n_transitions} (equal drift)",
        LOCALIZED,
        1.0,
        n_transitions,
    )
    equal = min(1.0, 2.0 / n_transitions)
    effects = {
        "effective_transitions": number,
        "top_two_share": effect(
            _top_two_share(after),
            f"share of the drift in the two largest transitions, {equal:.3g} (equal drift) to 1",
            equal,
            equal,
            1.0,
        ),
    }
    if untrained is not None:
        before_numbers = effective_transitions(before)
        reach = n_transitions - 1.0
        effects["effective_transitions_untrained"] = effect(
            before_numbers, number.meaning + ", untrained", LOCALIZED, 1.0, n_transitions
        )
        effects["effective_transitions_from_training"] = effect(
            numbers - before_numbers,
            "effective number of transitions, trained minus untrained",
            0.0,
            -reach,
            reach,
        )
    against = for_it = ""
    if number.above(LOCALIZED):
        against = (
            f"The drift is spread over {number} of {n_transitions} transitions, more than "
            f"{LOCALIZED:g}"
        )
    elif number.below(LOCALIZED) and n_transitions >= LEAST_TRANSITIONS:
        for_it = (
            f"The drift sits in {number} of {n_transitions} transitions, fewer than {LOCALIZED:g}"
        )
    n_kept = int(np.isfinite(numbers).sum())
    return finding(
        "localized",
        (n_kept, len(numbers) - n_kept),
        effects,
        against=against,
        for_it=for_it,
        open_because=_open(number, n_transitions),
    )


def effective_transitions(drift: ArrayLike) -> NDArray[np.float64]:
    """exp(H(D / sum D)) per seed, (S,): 1 if one transition has all the drift, L if all are equal.

    Args:
        drift: (S, L); negative entries, which only debiased estimates have, count as none. nan for
            a seed with an entry that is not finite, or without drift.

    Example:
        >>> effective_transitions([[0.2, 0.2, 0.2, 0.2], [0.8, 0.0, 0.0, 0.0]]).round(9)
        array([4., 1.])
    """
    return np.asarray(np.exp(entr(_shares(drift)).sum(axis=1)))


def _shares(drift: ArrayLike) -> NDArray[np.float64]:
    """D / sum D, (S, L)."""
    given = np.asarray(drift, dtype=np.float64)
    values = np.maximum(given, 0.0)
    total = values.sum(axis=1, keepdims=True)
    there = np.isfinite(given).all(axis=1, keepdims=True) & (total > LEAST_DRIFT)
    nothing = np.full_like(values, np.nan)
    return np.asarray(np.divide(values, total, out=nothing, where=there))


def _top_two_share(drift: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sort(_shares(drift), axis=1)[:, -2:].sum(axis=1))


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

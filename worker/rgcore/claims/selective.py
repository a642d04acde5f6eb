"""Claim (ii): the rank collapses for chains of short correlation length, not for long ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rgcore.claims.effect import Effect, mean_effect, ratio_effect
from rgcore.claims.finding import Finding, finding
from rgcore.claims.profiles import complete_seeds, log_collapse, paired_profiles
from rgcore.claims.thresholds import LEAST_SEEDS, NEGLIGIBLE

KEPT = 1.0 - NEGLIGIBLE
"""Collapse ratios from here up are no collapse."""


def selective_collapse(
    short: ArrayLike,
    long: ArrayLike,
    untrained_short: ArrayLike,
    untrained_long: ArrayLike,
    *,
    n_resamples: int = 2000,
) -> Finding:
    """Whether the short chain collapses and the long one does so less, or not at all.

    rho = rank_L / rank_0 per seed; the contrast is rho_long - rho_short.

    - supported: the interval of the contrast above 0, and those of rho_short and of rho_short
      over its untrained value below 1 - `NEGLIGIBLE`: the short chain collapses, by training.
    - refuted: the interval of the contrast below `NEGLIGIBLE`, or that of rho_short or of
      rho_short over its untrained value above 1 - `NEGLIGIBLE`.

    Flags `short_collapse` and `long_collapse`, each chain against the other: `absent` (rho and rho
    over untrained both above 1 - `NEGLIGIBLE`); else, where rho is below it, `as_strong` (contrast
    within -+ `NEGLIGIBLE`), `weaker` or `stronger` (contrast apart from 0); else `undetermined`.
    Flags `short_from_training`, `long_from_training` (rho over untrained below 1 - `NEGLIGIBLE`)
    and `contrast_from_training` (the contrast exceeds the untrained one): yes, no, undetermined.

    Args:
        short: (S, K) ranks of layers 0..L, trained on the chain of short correlation length.
        long: (S, K), trained on the long one, with the same seeds.
        untrained_short: (S, K), the networks of `short` before training.
        untrained_long: (S, K), those of `long`.
        n_resamples: of the bootstrap intervals, which decide nothing; 0 leaves them out.

    Raises:
        ValueError: shapes that cannot be paired.
    """
    profiles = paired_profiles(
        2, short=short, long=long, untrained_short=untrained_short, untrained_long=untrained_long
    )
    kept = complete_seeds(*profiles)
    effects = _effects([log_collapse(ranks, kept) for ranks in profiles], n_resamples)
    contrast, short_ratio = effects["contrast"], effects["collapse_ratio_short"]
    learned = effects["collapse_ratio_short_over_untrained"]
    n_kept = int(kept.sum())
    flags = _flags(effects)
    return finding(
        "selective",
        (n_kept, len(kept) - n_kept),
        effects,
        against=_against(contrast, short_ratio, learned),
        for_it=_for_it(contrast, short_ratio, effects["collapse_ratio_long"], learned),
        open_because=(
            f"Neither shown nor excluded: contrast {contrast}, short chain's rank_L / rank_0 = "
            f"{short_ratio}, over untrained {learned}"
        ),
        flags=flags if n_kept >= LEAST_SEEDS else dict.fromkeys(flags, "undetermined"),
    )


def _effects(logs: Sequence[NDArray[np.float64]], n_resamples: int) -> dict[str, Effect]:
    """Of ln(rank_L / rank_0), (S,) each: short, long, and the two of these before training."""
    short, long, short_0, long_0 = logs
    contrast = np.exp(long) - np.exp(short)
    untrained_contrast = np.exp(long_0) - np.exp(short_0)

    def ratio(values: NDArray[np.float64], meaning: str) -> Effect:
        return ratio_effect(values, meaning, n_resamples=n_resamples)

    def difference(values: NDArray[np.float64], meaning: str) -> Effect:
        return mean_effect(values, meaning, null=0.0, n_resamples=n_resamples)

    return {
        "contrast": difference(contrast, "rank_L / rank_0, long minus short"),
        "contrast_from_training": difference(
            contrast - untrained_contrast, "contrast, trained minus untrained"
        ),
        "collapse_ratio_short": ratio(short, "rank_L / rank_0, short chain"),
        "collapse_ratio_long": ratio(long, "rank_L / rank_0, long chain"),
        "collapse_ratio_short_over_untrained": ratio(
            short - short_0, "rank_L / rank_0 over untrained, short chain"
        ),
        "collapse_ratio_long_over_untrained": ratio(
            long - long_0, "rank_L / rank_0 over untrained, long chain"
        ),
    }


def _flags(effects: Mapping[str, Effect]) -> dict[str, str]:
    """What the effects say of each chain, as if of enough seeds."""
    contrast, learned_contrast = effects["contrast"], effects["contrast_from_training"]
    learned_short = effects["collapse_ratio_short_over_untrained"]
    learned_long = effects["collapse_ratio_long_over_untrained"]
    return {
        "short_collapse": _collapse(
            effects["collapse_ratio_short"], learned_short, contrast, "stronger", "weaker"
        ),
        "long_collapse": _collapse(
            effects["collapse_ratio_long"], learned_long, contrast, "weaker", "stronger"
        ),
        "short_from_training": _yes(learned_short.below(KEPT), learned_short.above(KEPT)),
        "long_from_training": _yes(learned_long.below(KEPT), learned_long.above(KEPT)),
        "contrast_from_training": _yes(
            learned_contrast.above(0), learned_contrast.below(NEGLIGIBLE)
        ),
    }


def _collapse(rho: Effect, learned: Effect, contrast: Effect, positive: str, negative: str) -> str:
    """How one chain collapses; `positive` names it when the contrast is above 0."""
    if rho.above(KEPT) and learned.above(KEPT):
        return "absent"
    if rho.below(KEPT):
        if contrast.above(-NEGLIGIBLE) and contrast.below(NEGLIGIBLE):
            return "as_strong"
        if contrast.above(0):
            return positive
        if contrast.below(0):
            return negative
    return "undetermined"


def _yes(shown: bool, excluded: bool) -> str:
    """`no` where both hold: what is shown is negligible."""
    if excluded:
        return "no"
    return "yes" if shown else "undetermined"


def _against(contrast: Effect, rho_short: Effect, learned_short: Effect) -> str:
    if rho_short.above(KEPT):
        return f"The short chain does not collapse: rank_L / rank_0 = {rho_short}, all above {KEPT}"
    if learned_short.above(KEPT):
        return (
            f"Training does not make the short chain collapse: rank_L / rank_0 over untrained = "
            f"{learned_short}, all above {KEPT}"
        )
    if contrast.below(NEGLIGIBLE):
        return (
            f"The long chain collapses as much as the short one or more: rank_L / rank_0, long "
            f"minus short, = {contrast}, all below {NEGLIGIBLE}"
        )
    return ""


def _for_it(contrast: Effect, rho_short: Effect, rho_long: Effect, learned_short: Effect) -> str:
    if not (contrast.above(0) and rho_short.below(KEPT) and learned_short.below(KEPT)):
        return ""
    return (
        f"The short chain collapses more: rank_L / rank_0 = {rho_short} (over untrained "
        f"{learned_short}) against {rho_long}, long minus short {contrast}"
    )

"""Claim (i): after training, the rank falls monotonically with depth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv

from rgcore.claims.effect import Effect, mean_effect
from rgcore.claims.finding import Finding, finding
from rgcore.claims.order import kendall_tau, page_p_value, spearman
from rgcore.claims.profiles import complete_seeds, log_collapse, paired_profiles, spread
from rgcore.claims.thresholds import ALPHA, CONFIDENCE, LEAST_SEEDS, NEGLIGIBLE, WEAK_ORDER

LOG_NEGLIGIBLE = float(np.log1p(-NEGLIGIBLE))


def monotone_collapse(
    trained: ArrayLike, untrained: ArrayLike, *, n_resamples: int = 2000
) -> Finding:
    """Whether the rank falls with depth, and whether training is what makes it fall.

    - supported: Page's p < `ALPHA`, and below 0 lie the intervals of the mean Kendall tau, of
      ln(rank_L / rank_0), and of the latter, trained minus untrained. The second of these is
      there because tau is -1 in all of few seeds too often by chance.
    - refuted: mean tau above `WEAK_ORDER`, or ln(rank_L / rank_0) or its trained-minus-untrained
      difference above ln(1 - `NEGLIGIBLE`), with the whole interval.

    Args:
        trained: (S, K) ranks of layers 0..L, K = L + 1, of the trained networks.
        untrained: (S, K) of the same seeds before training.
        n_resamples: of the bootstrap intervals, which decide nothing; 0 leaves them out.

    Raises:
        ValueError: shapes that cannot be paired.
    """
    after, before = paired_profiles(2, trained=trained, untrained=untrained)
    if after.shape != before.shape:
        raise ValueError(f"untrained has shape {before.shape}; allowed: {after.shape}, as trained")
    kept = complete_seeds(after, before)
    taus = spread(kendall_tau(after[kept]), kept)
    fall, untrained_fall = log_collapse(after, kept), log_collapse(before, kept)

    def effect(values: NDArray[np.float64], meaning: str, limit: float = np.inf) -> Effect:
        return mean_effect(
            values, meaning, null=0.0, bounds=(-limit, limit), n_resamples=n_resamples
        )

    tau = effect(taus, "Kendall tau of rank against depth, -1 to 1", 1.0)
    page = effect(
        spread(spearman(after[kept]), kept), "Spearman correlation of rank and depth, -1 to 1", 1.0
    )
    page = _with_page(page, page_p_value(after[kept]))
    collapse = effect(fall, "ln(rank_L / rank_0)")
    learned = effect(fall - untrained_fall, "ln(rank_L / rank_0), trained minus untrained")
    effects = {
        "kendall_tau": tau,
        "page": page,
        "log_collapse": collapse,
        "log_collapse_untrained": effect(untrained_fall, "ln(rank_L / rank_0), untrained"),
        "log_collapse_from_training": learned,
        "strictly_monotone": _strictly_monotone(taus),
    }
    n_kept = int(kept.sum())
    return finding(
        "monotone",
        (n_kept, len(kept) - n_kept),
        effects,
        against=_against(tau, collapse, learned),
        for_it=_for_it(tau, page, collapse, learned),
        open_because=_open(tau, page, collapse, learned),
    )


def _with_page(effect: Effect, p_value: float | None) -> Effect:
    said = "p_value is Page's, one-sided for a fall"
    if p_value is None:
        said = f"Page's test needs {LEAST_SEEDS - 1} seeds and 3 layers"
    return replace(effect, p_value=p_value, note="; ".join(filter(None, [effect.note, said])))


def _strictly_monotone(taus: NDArray[np.float64]) -> Effect:
    """Fraction of seeds in which every layer is below the one before; Clopper & Pearson 1934."""
    strict = np.where(np.isfinite(taus), taus == -1.0, np.nan)
    share = mean_effect(strict, "fraction of seeds with tau = -1", null=0.0, n_resamples=0)
    note = share.note
    low = high = None
    if share.estimate is not None:
        n = int(np.isfinite(taus).sum())
        hits = round(share.estimate * n)
        tail = (1.0 - CONFIDENCE) / 2.0
        low = float(betaincinv(hits, n - hits + 1, tail)) if hits else 0.0
        high = float(betaincinv(hits + 1, n - hits, 1.0 - tail)) if hits < n else 1.0
        note = "exact binomial interval, no test"
    return replace(
        share, low=low, high=high, p_value=None, bootstrap_low=None, bootstrap_high=None, note=note
    )


def _against(tau: Effect, collapse: Effect, learned: Effect) -> str:
    if collapse.above(0.0):
        return f"The rank rises with depth: ln(rank_L / rank_0) = {collapse}"
    if collapse.above(LOG_NEGLIGIBLE):
        return (
            f"The rank falls by less than {NEGLIGIBLE:.0%}: ln(rank_L / rank_0) = {collapse}, "
            f"all above {LOG_NEGLIGIBLE:.3g}"
        )
    if learned.above(LOG_NEGLIGIBLE):
        return (
            f"Training does not make the rank fall: ln(rank_L / rank_0), trained minus untrained, "
            f"= {learned}, all above {LOG_NEGLIGIBLE:.3g}"
        )
    if tau.above(WEAK_ORDER):
        return f"Rank is at best weakly ordered by depth: tau = {tau}, all above {WEAK_ORDER}"
    return ""


def _for_it(tau: Effect, page: Effect, collapse: Effect, learned: Effect) -> str:
    passed = page.p_value is not None and page.p_value < ALPHA
    if not (passed and tau.below(0) and collapse.below(0) and learned.below(0)):
        return ""
    return (
        f"The rank falls with depth (tau = {tau}, Page p = {page.p_value:.2g}) by "
        f"ln(rank_L / rank_0) = {collapse}, and training makes it: {learned} against untrained"
    )


def _open(tau: Effect, page: Effect, collapse: Effect, learned: Effect) -> str:
    p_value = "does not exist" if page.p_value is None else f"is {page.p_value:.2g}"
    return (
        f"Neither shown nor excluded: tau = {tau}, Page p {p_value}, ln(rank_L / rank_0) = "
        f"{collapse}, trained minus untrained {learned}"
    )

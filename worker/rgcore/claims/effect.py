"""One number over seeds that bears on a claim, with the interval that decides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit

from rgcore.claims.thresholds import ALPHA, CONFIDENCE
from rgcore.statistics import summarise

ANY_VALUE = (-np.inf, np.inf)


@dataclass(frozen=True)
class Effect:
    """A mean over seeds. No field is ever nan: what does not exist is None, and `note` says why.

    Attributes:
        meaning: what the number is, with its unit.
        estimate: the mean over seeds (of a ratio: the geometric mean).
        low: lower end of the interval that decides, at `CONFIDENCE`.
        high: its upper end.
        p_value: two-sided, against `null`, unless `note` says otherwise.
        null: the value that means no effect.
        bootstrap_low: lower end of the paired bootstrap interval at 1 - `ALPHA`. Too narrow for
            few seeds.
        bootstrap_high: its upper end.
        per_seed: one number per seed, in the order given; None where a seed has none.
        note: what is missing or special; empty if nothing is.
    """

    meaning: str
    estimate: float | None
    low: float | None
    high: float | None
    p_value: float | None
    null: float
    bootstrap_low: float | None
    bootstrap_high: float | None
    per_seed: tuple[float | None, ...]
    note: str = ""

    def below(self, value: float) -> bool:
        """Whether the whole interval lies below; False where there is none."""
        return self.high is not None and self.high < value

    def above(self, value: float) -> bool:
        """Whether the whole interval lies above; False where there is none."""
        return self.low is not None and self.low > value

    def __str__(self) -> str:
        """Estimate [low, high], to three digits."""
        if self.estimate is None:
            return "unknown"
        if self.low is None or self.high is None:
            return f"{self.estimate:.3g}"
        return f"{self.estimate:.3g} [{self.low:.3g}, {self.high:.3g}]"


def mean_effect(
    values: ArrayLike,
    meaning: str,
    *,
    null: float,
    bounds: tuple[float, float] = ANY_VALUE,
    n_resamples: int = 2000,
) -> Effect:
    """The mean over seeds, with Student's interval: mean -+ t standard errors, S - 1 degrees.

    Of the usual intervals it is the one that holds its level at three seeds (docs/claims.md). It
    assumes roughly symmetric noise between seeds. The bootstrap resamples seeds; pairs stay
    together because their differences are what is resampled.

    Args:
        values: (S,), paired differences or single values; a seed that is not finite is left out.
        meaning: what the number is.
        null: what `p_value` is against.
        bounds: least and largest value a mean can have; the interval is cut there.
        n_resamples: of the bootstrap, which decides nothing; 0 leaves it out.
    """
    array = np.asarray(values, dtype=np.float64)
    kept = array[np.isfinite(array)]
    if len(kept) == 0:
        return _nothing(meaning, null, len(array))
    mean = float(kept.mean())
    note = [f"{len(kept)} of {len(array)} seeds have a number"] if len(kept) < len(array) else []
    low = high = p_value = bootstrap_low = bootstrap_high = None
    if len(kept) == 1:
        note.append("one seed has no interval")
    else:
        degrees = len(kept) - 1
        error = float(kept.std(ddof=1)) / np.sqrt(len(kept))
        half = stdtrit(degrees, (1.0 + CONFIDENCE) / 2.0) * error
        low, high = (float(end) for end in np.clip([mean - half, mean + half], *bounds))
        if np.ptp(kept) == 0 or error == 0:  # the spread can underflow
            note.append("all seeds are equal: the interval has no width, and there is no test")
        else:
            p_value = float(2.0 * stdtr(degrees, -abs(mean - null) / error))
        if n_resamples:
            summary = summarise(kept, confidence=1.0 - ALPHA, n_resamples=n_resamples)
            bootstrap_low, bootstrap_high = float(summary.low), float(summary.high)
    return Effect(
        meaning=meaning,
        estimate=mean,
        low=low,
        high=high,
        p_value=p_value,
        null=null,
        bootstrap_low=bootstrap_low,
        bootstrap_high=bootstrap_high,
        per_seed=_per_seed(array),
        note="; ".join(note),
    )


def ratio_effect(log_values: ArrayLike, meaning: str, *, n_resamples: int = 2000) -> Effect:
    """The geometric mean of ratios: `mean_effect` of their logarithms against 0, exponentiated.

    Args:
        log_values: (S,), logarithms of the ratios.
        meaning: what the ratio is.
        n_resamples: of the bootstrap, which decides nothing; 0 leaves it out.
    """
    logs = mean_effect(log_values, meaning, null=0.0, n_resamples=n_resamples)
    return Effect(
        meaning=meaning,
        estimate=_exp(logs.estimate),
        low=_exp(logs.low),
        high=_exp(logs.high),
        p_value=logs.p_value,
        null=1.0,
        bootstrap_low=_exp(logs.bootstrap_low),
        bootstrap_high=_exp(logs.bootstrap_high),
        per_seed=tuple(_exp(value) for value in logs.per_seed),
        note=logs.note,
    )


def _nothing(meaning: str, null: float, n: int) -> Effect:
    return Effect(
        meaning=meaning,
        estimate=None,
        low=None,
        high=None,
        p_value=None,
        null=null,
        bootstrap_low=None,
        bootstrap_high=None,
        per_seed=(None,) * n,
        note="no seed has a number",
    )


def _per_seed(values: NDArray[np.float64]) -> tuple[float | None, ...]:
    return tuple(value if np.isfinite(value) else None for value in values.tolist())


def _exp(value: float | None) -> float | None:
    return None if value is None else float(np.exp(value))

"""How often the verdicts on the claims are wrong, and how often they are given: docs/claims.md.

Synthetic measurements whose truth is known: depth profiles with noise that every seed has for
itself, that runs smoothly over the layers, and that the paired conditions partly share. Prints
Markdown tables. A quarter of an hour on one core:

    .venv/bin/python scripts/claims_calibration.py
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri, stdtrit

from rgcore.claims import (
    ALPHA,
    LOCALIZED,
    NEGLIGIBLE,
    Finding,
    localized_drift,
    monotone_collapse,
    page_p_value,
    selective_collapse,
)
from rgcore.observables import effective_transitions

Array = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int, float], Finding]

DRAWS = 2000
SEEDS = (3, 5, 8, 10)
SKEWNESSES = (0.0, 1.0, 2.0)
"""Of the noise between seeds: normal, somewhat skewed, exponential."""
LAYERS = 9
BETWEEN_SEEDS = 0.03
"""Standard deviation of ln(rank_L / rank_0) between seeds, as training on a small chain has it."""
TRANSITIONS = 8
BETWEEN_DRIFTS = 0.3
"""Standard deviation of ln D between seeds."""
EDGE = 1.0 - NEGLIGIBLE


@dataclass(frozen=True)
class Scenario:
    """Measurements of which the truth is known.

    Attributes:
        claim: the claim's name.
        truth: what holds, in words.
        verdict: the verdict, or the value of the flag, that is counted.
        draw: (generator, seeds, signed skewness of the noise) -> what one study finds.
        tail: sign of the skewness that makes this verdict most frequent.
        flag: the flag that is counted instead of the verdict.
    """

    claim: str
    truth: str
    verdict: str
    draw: Draw
    tail: int = 1
    flag: str = ""

    def hit(self, finding: Finding) -> bool:
        """Whether the finding says what is counted."""
        return self.verdict == (finding.flags[self.flag] if self.flag else finding.verdict)


def rate(scenario: Scenario, n_seeds: int, skewness: float, n_draws: int, seed: int = 0) -> float:
    """Share of the draws in which the scenario's verdict is given."""
    rng = np.random.default_rng(seed)
    findings = (scenario.draw(rng, n_seeds, scenario.tail * skewness) for _ in range(n_draws))
    return sum(scenario.hit(finding) for finding in findings) / n_draws


def noise(rng: np.random.Generator, shape: Sequence[int], skewness: float) -> Array:
    """Mean 0, variance 1: normal, or a Gamma law of the given skewness."""
    if skewness == 0:
        return rng.normal(size=shape)
    concentration = 4.0 / skewness**2
    values = rng.gamma(concentration, size=shape) - concentration
    return np.asarray(np.sign(skewness) * values / np.sqrt(concentration))


def profiles(
    rng: np.random.Generator, n_seeds: int, ratios: Sequence[float], skews: Sequence[float]
) -> list[Array]:
    """(S, K) ranks per condition whose geometric mean rank_L / rank_0 is as given.

    The noise between seeds is a slope, half of its variance shared by the conditions, and a bend;
    a tenth of it is left from layer to layer.
    """
    depth = np.linspace(0.0, 1.0, LAYERS)
    shared = rng.normal(size=(n_seeds, 1))
    found = []
    for ratio, skew in zip(ratios, skews, strict=True):
        slope = np.log(ratio) + BETWEEN_SEEDS * np.sqrt(0.5) * (
            shared + noise(rng, (n_seeds, 1), skew)
        )
        bend = 0.5 * BETWEEN_SEEDS * rng.normal(size=(n_seeds, 1))
        rough = 0.1 * BETWEEN_SEEDS * rng.normal(size=(n_seeds, LAYERS))
        first = np.log(20.0) + 0.05 * rng.normal(size=(n_seeds, 1))
        found.append(np.exp(first + slope * depth + bend * np.sin(np.pi * depth) + rough))
    return found


def monotone(trained: float, untrained: float) -> Draw:
    """Studies of claim (i) whose mean collapse ratios are as given."""

    def draw(rng: np.random.Generator, n_seeds: int, skew: float) -> Finding:
        after, before = profiles(rng, n_seeds, (trained, untrained), (skew, -skew))
        return monotone_collapse(after, before, n_resamples=0)

    return draw


def selective(short: float, long: float, untrained: float) -> Draw:
    """Studies of claim (ii) whose mean collapse ratios are as given."""

    def draw(rng: np.random.Generator, n_seeds: int, skew: float) -> Finding:
        ratios = (short, long, untrained, untrained)
        conditions = profiles(rng, n_seeds, ratios, (skew, -skew, -skew, skew))
        return selective_collapse(*conditions, n_resamples=0)

    return draw


def localized(n_transitions: float) -> Draw:
    """Studies of claim (iii) whose mean effective number of transitions is as given."""

    def draw(rng: np.random.Generator, n_seeds: int, skew: float) -> Finding:
        spread = noise(rng, (n_seeds, TRANSITIONS), skew)
        return localized_drift(_drift(decay(n_transitions, skew), spread), n_resamples=0)

    return draw


def _drift(fall: float, spread: Array) -> Array:
    return np.exp(-fall * np.arange(TRANSITIONS) + BETWEEN_DRIFTS * spread)


@cache
def decay(n_transitions: float, skew: float) -> float:
    """The rate at which drift falls over the transitions so that the mean number is as given."""
    spread = noise(np.random.default_rng(1), (100_000, TRANSITIONS), skew)

    def excess(fall: float) -> float:
        return float(effective_transitions(_drift(fall, spread)).mean()) - n_transitions

    return float(brentq(excess, 0.0, 10.0))


WRONG = (
    Scenario(
        "monotone", "no fall, ordered by chance; untrained alike", "supported", monotone(1, 1)
    ),
    Scenario("monotone", "no fall, but untrained rises by 10 %", "supported", monotone(1, 1.1)),
    Scenario("monotone", "falls by 10 %, untrained as well", "supported", monotone(0.9, 0.9)),
    Scenario("monotone", "falls by 2 %: every threshold", "refuted", monotone(EDGE, 1), -1),
    Scenario("monotone", "falls by 5 %, untrained not", "refuted", monotone(0.95, 1), -1),
    Scenario("monotone", "falls by 30 %, untrained by 28 %", "refuted", monotone(0.7056, 0.72), -1),
    Scenario("selective", "both collapse to 0.7", "supported", selective(0.7, 0.7, 0.95)),
    Scenario("selective", "short at 0.98, long at 1.1", "supported", selective(EDGE, 1.1, 1)),
    Scenario("selective", "neither collapses", "supported", selective(1, 1, 1)),
    Scenario(
        "selective", "0.7 against 0.72: contrast 0.02", "refuted", selective(0.7, 0.72, 1), -1
    ),
    Scenario("selective", "0.98 against 1: every threshold", "refuted", selective(EDGE, 1, 1), -1),
    Scenario("selective", "0.7 against 0.85", "refuted", selective(0.7, 0.85, 0.95), -1),
    Scenario(
        "selective", "long chain at 0.98", "absent", selective(0.7, EDGE, 1), 1, "long_collapse"
    ),
    Scenario("localized", "N = 3", "supported", localized(LOCALIZED), -1),
    Scenario("localized", "N = 3", "refuted", localized(LOCALIZED)),
)
"""Verdicts that would be wrong, most of them at the very edge of what they deny."""

RIGHT = (
    Scenario("monotone", "falls by 5 %, untrained not", "supported", monotone(0.95, 1)),
    Scenario("monotone", "falls by 10 %, untrained by 5 %", "supported", monotone(0.9, 0.95)),
    Scenario("monotone", "falls by 30 %, untrained by 5 %", "supported", monotone(0.7, 0.95)),
    Scenario("monotone", "no fall", "refuted", monotone(1, 1)),
    Scenario("monotone", "rises by 5 %", "refuted", monotone(1.05, 1)),
    Scenario("selective", "0.7 against 0.75", "supported", selective(0.7, 0.75, 0.95)),
    Scenario("selective", "0.7 against 0.85", "supported", selective(0.7, 0.85, 0.95)),
    Scenario("selective", "both at 0.7", "refuted", selective(0.7, 0.7, 0.95)),
    Scenario("selective", "0.85 against 0.7", "refuted", selective(0.85, 0.7, 0.95)),
    Scenario("selective", "long chain at 1", "absent", selective(0.7, 1, 0.95), 1, "long_collapse"),
    Scenario(
        "selective", "long chain at 0.85", "weaker", selective(0.7, 0.85, 0.95), 1, "long_collapse"
    ),
    Scenario("localized", "N = 2", "supported", localized(2)),
    Scenario("localized", "N = 2.5", "supported", localized(2.5)),
    Scenario("localized", "N = 4", "refuted", localized(4)),
    Scenario("localized", "N = 6", "refuted", localized(6)),
)
"""Verdicts that would be right."""


def percentile(x: Array, rng: np.random.Generator, n_resamples: int) -> Array:
    """The percentile bootstrap (Efron 1979) of the mean of each row: (2, draws)."""
    means = _resampled(x, rng, n_resamples).mean(axis=-1)
    return np.asarray(np.quantile(means, [ALPHA / 2, 1 - ALPHA / 2], axis=1))


def bias_corrected(x: Array, rng: np.random.Generator, n_resamples: int) -> Array:
    """BCa (Efron 1987)."""
    mean = x.mean(axis=1, keepdims=True)
    means = np.sort(_resampled(x, rng, n_resamples).mean(axis=-1), axis=1)
    below = (means < mean).mean(axis=1) + 0.5 * (means == mean).mean(axis=1)
    shift = ndtri(below.clip(1 / n_resamples, 1 - 1 / n_resamples))
    away = x - mean
    bend = (away**3).sum(axis=1) / (6 * (away**2).sum(axis=1) ** 1.5)
    ends = []
    for tail in (ALPHA / 2, 1 - ALPHA / 2):
        quantile = ndtr(shift + (shift + ndtri(tail)) / (1 - bend * (shift + ndtri(tail))))
        place = np.clip(np.rint(quantile * (n_resamples - 1)).astype(int), 0, n_resamples - 1)
        ends.append(means[np.arange(len(x)), place])
    return np.array(ends)


def studentized(x: Array, rng: np.random.Generator, n_resamples: int) -> Array:
    """Bootstrap-t (Efron 1982); resamples of equal values, which have no t, are left out."""
    drawn = _resampled(x, rng, n_resamples)
    error = drawn.std(axis=-1, ddof=1)
    error[error < 1e-12] = np.nan
    deviations = (drawn.mean(axis=-1) - x.mean(axis=1, keepdims=True)) / error
    least, most = np.nanquantile(deviations, [ALPHA / 2, 1 - ALPHA / 2], axis=1)
    mean, spread = x.mean(axis=1), x.std(axis=1, ddof=1)
    return np.array([mean - most * spread, mean - least * spread])


def student(x: Array, rng: np.random.Generator, n_resamples: int) -> Array:  # noqa: ARG001 - as the others
    """Student's interval (1908)."""
    n = x.shape[1]
    half = stdtrit(n - 1, 1 - ALPHA / 2) * x.std(axis=1, ddof=1) / np.sqrt(n)
    return np.array([x.mean(axis=1) - half, x.mean(axis=1) + half])


def _resampled(x: Array, rng: np.random.Generator, n_resamples: int) -> Array:
    drawn = rng.integers(x.shape[1], size=(n_resamples, x.shape[1]))
    return np.asarray(x[:, drawn])  # (draws, R, S)


INTERVALS = {
    "percentile bootstrap": percentile,
    "BCa": bias_corrected,
    "bootstrap-t": studentized,
    "Student's t": student,
}


def misses(method: str, n_seeds: int, skewness: float, n_draws: int) -> float:
    """Share of the 95 % intervals of the mean of S seeds that miss the true mean, 0."""
    rng = np.random.default_rng(0)
    missed = 0
    for n in np.diff(np.linspace(0, n_draws, max(2, n_draws // 250)).astype(int)):
        low, high = INTERVALS[method](noise(rng, (n, n_seeds), skewness), rng, 2000)
        missed += int(((low > 0) | (high < 0)).sum())
    return missed / n_draws


def page_alone(n_seeds: int, n_draws: int) -> float:
    """Share of studies without a trend in which Page's test by itself finds one."""
    rng = np.random.default_rng(0)
    found = [page_p_value(profiles(rng, n_seeds, (1.0,), (0.0,))[0]) for _ in range(n_draws)]
    return sum(p is not None and p < ALPHA for p in found) / n_draws


def percent(*shares: float) -> str:
    """One cell: a share per skewness, %."""
    return " / ".join(f"{100 * share:.1f}" for share in shares)


def rates(scenarios: Sequence[Scenario], skewnesses: Sequence[float]) -> Iterator[list[str]]:
    """Rows of a table of verdicts."""
    for scenario in scenarios:
        said = f"long chain `{scenario.verdict}`" if scenario.flag else scenario.verdict
        cells = (
            percent(*(rate(scenario, n, skewness, DRAWS) for skewness in skewnesses)) for n in SEEDS
        )
        yield [scenario.claim, scenario.truth, said, *cells]


def show(title: str, head: Sequence[str], body: Iterable[Sequence[str]]) -> None:
    """Print one Markdown table, row by row as it is measured."""
    columns = [*head, *(f"S = {n}" for n in SEEDS)]
    ends = ["---"] * len(head) + ["---:"] * len(SEEDS)
    write = partial(print, file=sys.stdout, flush=True)
    write(f"\n{title}\n")
    for cells in chain([columns, ends], body):
        write("| " + " | ".join(cells) + " |")


def main() -> None:
    """Print every table of docs/claims.md."""
    noises = " / ".join(f"{skewness:g}" for skewness in SKEWNESSES)
    show(
        f"95 % intervals that miss the mean, %, at skewness {noises}",
        ["interval"],
        (
            [name, *(percent(*(misses(name, n, k, DRAWS) for k in SKEWNESSES)) for n in SEEDS)]
            for name in INTERVALS
        ),
    )
    show(
        "No trend, but Page's p < 0.05, %",
        ["test"],
        [["Page alone", *(percent(page_alone(n, DRAWS)) for n in SEEDS)]],
    )
    head = ["claim", "truth", "verdict"]
    show(f"Wrong verdicts, %, at skewness {noises}", head, rates(WRONG, SKEWNESSES))
    show("Right verdicts, %, normal noise", head, rates(RIGHT, SKEWNESSES[:1]))


if __name__ == "__main__":
    main()

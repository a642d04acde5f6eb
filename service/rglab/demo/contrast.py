"""The paper's contrast: a short correlation length against a long one, as tables and in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import fmean, stdev
from typing import Any

from rich.table import Table

from rgclient import LayerSeries, Result

CORR_LENS = (1.0, 7.0)
LEVELS = ("position", "pooled")
SEEDS = 3
CLEAR = 2.0
"""A difference counts as seen when it exceeds so many of its standard errors."""


def specs() -> list[dict[str, Any]]:
    """What the demo submits: small enough for a few minutes on two cores."""
    return [
        {
            "chain": {"family": "random_reversible", "n_states": 16, "corr_len": corr_len},
            "model": {"mixing": "context", "activation": "gelu", "norm": "layer"}
            | {"depth": 6, "width": 32, "hidden_ratio": 2.0},
            "training": {"steps": 1200, "lr": 3e-3},
            "measurement": {"n_sequences": 2048},
            "seeds": SEEDS,
            "label": f"demo: correlation length {corr_len:g}",
            "tags": ["demo"],
        }
        for corr_len in CORR_LENS
    ]


def corr_len(result: Result) -> float:
    """The correlation length a result is about, tokens."""
    return result.chain.corr_len


def tables(results: Sequence[Result]) -> list[Table]:
    """Everything, as tables that fit into 80 columns."""
    ranks = {
        f"xi = {corr_len(result):.3g}\n{level}": result.effective_rank(level=level)
        for result in results
        for level in LEVELS
    }
    drifts = {
        f"xi = {corr_len(result):.3g}": result.kernel_drift(level="position") for result in results
    }
    seeds = len(results[0].seeds)
    return [
        _by_layer(f"Effective rank after training, {seeds} seeds (± standard error)", ranks, ".2f"),
        _by_layer("Kernel drift from each layer to the next, position level", drifts, ".4f"),
        _losses(results),
    ]


def _by_layer(title: str, columns: dict[str, LayerSeries], digits: str) -> Table:
    shown = Table(title=title)
    shown.add_column("layer", justify="right")
    for name in columns:
        shown.add_column(name, justify="right")
    for points in zip(*columns.values(), strict=True):
        cells = [f"{point.mean:{digits}} ± {point.standard_error:{digits}}" for point in points]
        shown.add_row(str(points[0].layer), *cells)
    return shown


def _losses(results: Sequence[Result]) -> Table:
    """Loss beside the best possible one, and how far the rank collapses; a column per xi."""
    shown = Table(title="Masked-token loss (nats), collapse ratio rank_L / rank_0")
    shown.add_column("")
    for result in results:
        shown.add_column(f"xi = {corr_len(result):.3g}", justify="right")

    def row(name: str, cell: Callable[[Result], str]) -> None:
        shown.add_row(name, *(cell(result) for result in results))

    def ratio(level: str, when: str) -> Callable[[Result], str]:
        def cell(result: Result) -> str:
            found = result.collapse_ratio(level=level, when=when)
            return f"{found.mean:.3f} ± {found.standard_error:.3f}"

        return cell

    row("loss", lambda r: f"{r.losses().loss.mean:.4f} ± {r.losses().loss.standard_error:.4f}")
    row("Bayes-optimal loss", lambda r: f"{r.losses().bayes_loss.mean:.4f}")
    row("excess / what there is to learn", _gap)
    for level in LEVELS:
        row(f"collapse ratio, {level}", ratio(level, "final"))
    row("collapse ratio untrained, position", ratio("position", "initial"))
    return shown


def _gap(result: Result) -> str:
    flag = " UNDER-TRAINED" if result.under_trained else ""
    return f"{result.losses().gap_fraction.mean:.1%}{flag}"


def in_words(results: Sequence[Result]) -> str:
    """What the contrast shows, for this architecture and these seeds, and how sure that is."""
    short, long = results
    lines = [_claim(short, "short"), _claim(long, "long"), _selective(short, long)]
    lines += [_where_drift_sits(result) for result in results]
    lines += [
        f"The network at xi = {corr_len(result):.3g} is under-trained: do not believe its rank yet."
        for result in results
        if result.under_trained
    ]
    lines += [
        f"The network at xi = {corr_len(result):.3g} was measured on too few samples: ask for more."
        for result in results
        if result.too_few_samples
    ]
    lines.append(
        f"{len(short.seeds)} seeds, one chain and one architecture: a first look, not a verdict."
    )
    return "\n".join(lines)


def _claim(result: Result, name: str) -> str:
    ranks = result.effective_rank(level="position").mean
    ratio = result.collapse_ratio(level="position")
    falls = all(after < before for before, after in pairwise(ranks))
    verb = "falls at every layer" if falls else "does not fall at every layer"
    return (
        f"At the {name} correlation length (xi = {corr_len(result):.3g}) the effective rank, "
        f"position by position, {verb}: the last layer has {ratio.mean:.0%} of the first one's "
        f"(standard error {ratio.standard_error:.1%}); {_against_untrained(result)}."
    )


def _against_untrained(result: Result) -> str:
    """Whether the collapse is there without training too."""
    trained = result.collapse_ratio(level="position").per_seed
    untrained = result.collapse_ratio(level="position", when="initial").per_seed
    mean, error = _mean_and_error([trained[seed] - untrained[seed] for seed in sorted(trained)])
    if abs(mean) <= CLEAR * error:
        return f"that is no different from the untrained network ({mean:+.3f} ± {error:.3f})"
    way = "lower" if mean < 0 else "higher"
    return f"that is {way} than in the untrained network ({mean:+.3f} ± {error:.3f})"


def _selective(short: Result, long: Result) -> str:
    sentences = []
    for level in LEVELS:
        difference, error = _paired(short, long, level)
        seen = abs(difference) > CLEAR * error
        more = "short" if difference > 0 else "long"
        verdict = f"the {more} chain collapses more" if seen else "no difference is seen"
        sentences.append(
            f"{level}: {verdict} (collapse ratio long - short = {difference:+.3f} ± {error:.3f})"
        )
    return "Selective? " + "; ".join(sentences) + "."


def _paired(short: Result, long: Result, level: str) -> tuple[float, float]:
    """(mean, standard error) of the difference of collapse ratios, seed by seed."""
    ratios = [result.collapse_ratio(level=level).per_seed for result in (short, long)]
    differences = [ratios[1][seed] - ratios[0][seed] for seed in sorted(ratios[0])]
    return _mean_and_error(differences)


def _mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    return fmean(values), stdev(values) / len(values) ** 0.5


def _where_drift_sits(result: Result) -> str:
    drift = result.kernel_drift(level="position").mean
    largest = sorted(range(len(drift)), key=lambda layer: -drift[layer])[:2]
    share = sum(drift[layer] for layer in largest) / sum(drift)
    where = " and ".join(f"{layer}->{layer + 1}" for layer in sorted(largest))
    return (
        f"Kernel drift at xi = {corr_len(result):.3g}: the two largest of {len(drift)} transitions "
        f"({where}) hold {share:.0%} of it; equal drift would give {2 / len(drift):.0%}."
    )

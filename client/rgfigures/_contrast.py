"""A short correlation length against a long one: does depth coarse-grain selectively?"""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator

from rgcontract import Result
from rgcontract.observables import OBSERVABLES
from rgfigures._series import Series, series

RANK = OBSERVABLES["effective_rank"].axis_label
DRIFT = f"{OBSERVABLES['kernel_drift'].axis_label}, 1 - CKA"
COLOURS = ("#0072b2", "#d55e00")  # told apart by colour-blind readers too (Okabe & Ito)
MARKERS = ("o", "s")  # and in black and white
BETWEEN_LAYERS = 0.5  # where the transition from one layer to the next is drawn
MOST_TICKS = 8


def contrast(results: Sequence[Result]) -> Figure:
    """Effective rank by layer at both levels, trained and untrained, and kernel drift."""
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    position, pooled, drift = figure.subplots(1, 3)
    pooled.sharey(position)  # ranks are compared across the two
    for result, colour, marker in zip(results, COLOURS, MARKERS, strict=True):
        name = f"ξ = {result.chain.corr_len:.3g} tokens"
        _ranks(position, result, "position", colour, marker, name)
        _ranks(pooled, result, "pooled", colour, marker, name)
        change = series(result, "kernel_drift", "position")
        _line(drift, change, colour, marker, name, offset=BETWEEN_LAYERS)
    position.set(title="Position by position", xlabel="layer", ylabel=RANK)
    pooled.set(title="Averaged over positions", xlabel="layer", ylabel=RANK)
    drift.set(title="Change from layer to layer", xlabel="transition", ylabel=DRIFT)
    for axes in (position, pooled, drift):
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    stride = -(-results[0].spec.model.depth // MOST_TICKS)
    for axes in (position, pooled):
        axes.xaxis.set_major_locator(MultipleLocator(stride))
    drift.xaxis.set_major_locator(MultipleLocator(stride, offset=BETWEEN_LAYERS))
    drift.xaxis.set_major_formatter(FuncFormatter(_transition))
    figure.legend(
        *position.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False
    )
    flags = _flags(results)
    figure.suptitle("\n".join([_caption(results[0]), *flags]), fontsize=10)
    return figure


def _flags(results: Sequence[Result]) -> list[str]:
    """What to know before believing the picture."""
    flags = {"UNDER-TRAINED": "under_trained", "TOO FEW SAMPLES": "too_few_samples"}
    return [
        f"{words} at ξ = {', '.join(f'{result.chain.corr_len:.3g}' for result in found)}"
        for words, name in flags.items()
        if (found := [result for result in results if getattr(result, name)])
    ]


def _caption(result: Result) -> str:
    spec, chain = result.spec, result.chain
    return (
        f"Chain {chain.family}, {chain.n_states} states; depth {spec.model.depth}, width "
        f"{spec.model.width}, {spec.training.steps} steps; mean over {len(result.seeds)} seeds, "
        "bars: standard error"
    )


def _ranks(axes: Axes, result: Result, level: str, colour: str, marker: str, name: str) -> None:
    _line(axes, series(result, "effective_rank", level), colour, marker, name)
    before = series(result, "effective_rank", level, "initial").mean
    axes.errorbar(
        range(len(before)), before, fmt=":",
        color=colour, linewidth=1.2, label=f"{name}, untrained",
    )  # fmt: skip


def _line(
    axes: Axes, found: Series, colour: str, marker: str, name: str, offset: float = 0.0
) -> None:
    layers = [layer + offset for layer in range(len(found.mean))]
    axes.errorbar(
        layers, found.mean, yerr=found.standard_error,
        color=colour, marker=marker, markersize=4, capsize=3, label=name,
    )  # fmt: skip


def _transition(x: float, _position: int | None = None) -> str:
    """What a tick between two layers is called."""
    return f"{x - BETWEEN_LAYERS:.0f}→{x + BETWEEN_LAYERS:.0f}"

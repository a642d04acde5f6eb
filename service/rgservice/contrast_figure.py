"""The contrast as a picture."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rgclient import LayerSeries, Result
from rgservice.contrast import corr_len

COLOURS = ("#0072b2", "#d55e00")  # told apart by colour-blind readers too (Okabe & Ito)


def draw(results: Sequence[Result]) -> Figure:
    """Effective rank by layer at both levels, trained and untrained, and kernel drift."""
    figure = Figure(figsize=(11, 3.8), layout="constrained")
    position, pooled, drift = figure.subplots(1, 3)
    for result, colour in zip(results, COLOURS, strict=True):
        name = f"xi = {corr_len(result):.3g}"
        _ranks(position, result, "position", colour, name)
        _ranks(pooled, result, "pooled", colour, name)
        _line(drift, result.kernel_drift(level="position"), colour, name, offset=0.5)
    position.set(title="position by position", xlabel="layer", ylabel="effective rank")
    pooled.set(title="averaged over positions", xlabel="layer", ylabel="effective rank")
    drift.set(title="change between layers", xlabel="layer", ylabel="kernel drift, 1 - CKA")
    for axes in (position, pooled, drift):
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    position.legend(frameon=False)
    seeds = len(results[0].seeds)
    figure.suptitle(
        f"Effective rank after training (solid) and before (dotted); bars: standard error of "
        f"{seeds} seeds",
        fontsize=10,
    )
    return figure


def _ranks(axes: Axes, result: Result, level: str, colour: str, name: str) -> None:
    _line(axes, result.effective_rank(level=level), colour, name)
    before = result.effective_rank(level=level, when="initial").mean
    axes.plot(range(len(before)), before, ":", color=colour, linewidth=1)


def _line(axes: Axes, series: LayerSeries, colour: str, name: str, offset: float = 0.0) -> None:
    layers = [layer + offset for layer in range(len(series))]
    axes.errorbar(
        layers, series.mean, yerr=series.standard_error,
        color=colour, marker="o", markersize=4, capsize=3, label=name,
    )  # fmt: skip

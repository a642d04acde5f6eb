"""The effective rank by layer, at every moment that was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rgclient._extras import optional

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from rgclient._series import LayerSeries


def plot_series(
    series: Sequence[LayerSeries], *, title: str, confidence: float, axes: Axes | None = None
) -> Axes:
    """Lines with their interval as a band.

    Args:
        series: one line each.
        title: above the axes.
        confidence: level of the intervals, for the label.
        axes: where to draw; new ones if not given.
    """
    ticker = optional("matplotlib.ticker", "plot")
    if axes is None:
        _, axes = optional("matplotlib.pyplot", "plot").subplots()
    for line in series:
        layers = range(len(line))
        style = ":" if line.when == "shuffled" else "-"
        (drawn,) = axes.plot(layers, line.mean, style, marker="o", label=line.when)
        axes.fill_between(layers, line.low, line.high, color=drawn.get_color(), alpha=0.25, lw=0)
    axes.set_xlabel("layer")
    axes.set_ylabel(f"effective rank ({series[0].level})")
    axes.set_title(title)
    axes.legend(title=f"{confidence:.0%} interval over seeds")
    axes.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
    return axes

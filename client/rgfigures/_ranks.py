"""The effective rank by layer, at every moment that was measured."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rgcontract import Result
from rgcontract.measured import deciding_level
from rgcontract.observables import OBSERVABLES
from rgfigures._series import series


def ranks(results: Sequence[Result]) -> Figure:
    """The picture by itself, at the level that decides."""
    (result,) = results
    figure = Figure(layout="constrained")
    chain, model = result.chain, result.spec.model
    title = (
        f"ξ = {chain.corr_len:.3g} tokens, {chain.family}, depth {model.depth}, width {model.width}"
    )
    ranks_by_layer(figure.subplots(), result, title=title)
    return figure


def ranks_by_layer(axes: Axes, result: Result, *, level: str | None = None, title: str) -> None:
    """A line for each moment, with its interval as a band.

    Args:
        axes: where to draw.
        result: the measurement.
        level: rows that the rank is of; the level that decides if not given.
        title: above the axes.

    Raises:
        NotThere: the rank was not measured there.
    """
    level = level or deciding_level(result)
    for when in (snapshot.when for snapshot in result.snapshots):
        found = series(result, "effective_rank", level, when)
        layers = range(len(found.mean))
        style = ":" if when == "shuffled" else "-"
        (drawn,) = axes.plot(layers, found.mean, style, marker="o", label=when)
        axes.fill_between(layers, found.low, found.high, color=drawn.get_color(), alpha=0.25, lw=0)
    axes.set_xlabel("layer")
    axes.set_ylabel(f"{OBSERVABLES['effective_rank'].label} ({level})")
    axes.set_title(title)
    axes.legend(title=f"{result.confidence:.0%} interval over seeds")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))

"""The figures there are: a row says what a figure shows, what it is drawn from, and what draws it.

To add a figure, write its file, with a function from results to a `Figure`, and its row here.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from rgcontract import Result
from rgfigures._contrast import contrast
from rgfigures._ranks import ranks


@dataclass(frozen=True)
class FigureRow:
    """A figure that can be asked for by its name."""

    name: str
    meaning: str
    """What it shows, in a sentence."""
    results: int
    """How many results it is drawn from."""
    needs: tuple[str, ...]
    """The quantities that each of them has to have; of which level and moment, the drawing says."""
    draw: Callable[[Sequence[Result]], Figure]
    """Raises `rgcontract.measured.NotThere` where a number that it needs was not measured."""


FIGURES = {
    row.name: row
    for row in (
        FigureRow(
            "ranks",
            "Effective rank by layer with its interval, at every moment that was measured.",
            1,
            ("effective_rank",),
            ranks,
        ),
        FigureRow(
            "contrast",
            "A short correlation length against a long one: effective rank by layer, position by "
            "position and averaged over positions, and the change from layer to layer.",
            2,
            ("effective_rank", "kernel_drift"),
            contrast,
        ),
    )
}
"""Name -> figure."""


def drawn(name: str, results: Sequence[Result]) -> Figure:
    """A figure of these results.

    Raises:
        ValueError: there is no such figure, or it is of another number of results.
        NotThere: a number that it needs was not measured.
    """
    row = FIGURES.get(name)
    if row is None:
        near = difflib.get_close_matches(name, FIGURES, n=2)
        other = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(FIGURES)}"
        raise ValueError(f"no figure {name!r}; {other}")
    if len(results) != row.results:
        raise ValueError(f"figure {name!r} is of {row.results} results; these are {len(results)}")
    return row.draw(results)

"""What draws each of the figures that `rgcontract.figures` says there are.

To add a figure, write its file, with a function from results to a `Figure`, its row there and its
line here.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence

from matplotlib.figure import Figure

from rgcontract import Result
from rgcontract.figures import FIGURES
from rgfigures._contrast import contrast
from rgfigures._ranks import ranks

Draw = Callable[[Sequence[Result]], Figure]
"""Raises `rgcontract.measured.NotThere` where a number that it needs was not measured."""

DRAWN_BY: dict[str, Draw] = {
    "ranks": ranks,
    "contrast": contrast,
}
"""Name of a figure -> what draws it."""


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
    return DRAWN_BY[name](results)

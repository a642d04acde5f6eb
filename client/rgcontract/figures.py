"""The figures there are: one row for each, which `rgfigures` draws.

What draws them needs matplotlib; what there is can be asked for without.
"""

from __future__ import annotations

from dataclasses import dataclass


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


FIGURES = {
    row.name: row
    for row in (
        FigureRow(
            "ranks",
            "Effective rank by layer with its interval, at every moment that was measured.",
            1,
            ("effective_rank",),
        ),
        FigureRow(
            "contrast",
            "A short correlation length against a long one: effective rank by layer, position by "
            "position and averaged over positions, and the change from layer to layer.",
            2,
            ("effective_rank", "kernel_drift"),
        ),
    )
}
"""Name -> what is said of it."""

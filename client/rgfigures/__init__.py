"""Figures: results in, a picture out. One function draws for client, server, demo and docs.

Needs matplotlib. A new figure is its file, with a function that draws, its line in `_registry`
and its row in `rgcontract.figures`.
"""

from rgcontract.figures import FIGURES, FigureRow
from rgfigures._ranks import ranks_by_layer
from rgfigures._registry import drawn

__all__ = ["FIGURES", "FigureRow", "drawn", "ranks_by_layer"]

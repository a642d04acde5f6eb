"""Figures: results in, a picture out. One function draws for client, server, demo and docs.

Needs matplotlib. A new figure is its file, with a function that draws, and its row in `_registry`.
"""

from rgfigures._ranks import ranks_by_layer
from rgfigures._registry import FIGURES, FigureRow, drawn

__all__ = ["FIGURES", "FigureRow", "drawn", "ranks_by_layer"]

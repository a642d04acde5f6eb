"""Arrays that grow faster than the layers do: an answer that is to stay small leaves them out."""

from __future__ import annotations

from enum import StrEnum

TRANSITION = "transition"
"""The matrices of the chains, in `ChainFacts`."""
MOST_NUMBERS = 16_384
"""Of arrays of a kind, in an answer that is to stay small: about 300 KB."""


class Arrays(StrEnum):
    """How much of them is in an answer."""

    LAYERS = "layers"
    """Quantities of one index; the matrices of the chains where they are small."""
    SMALL = "small"
    """All that are small."""
    ALL = "all"
    """All."""
    RUNS = "runs"
    """All, those of several indexes for each run too."""

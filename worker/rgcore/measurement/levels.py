"""The levels: which rows of the residual stream one matrix is made of."""

from __future__ import annotations

from collections.abc import Sequence

LEVELS_OF: dict[str, tuple[str, ...]] = {
    "context": ("position", "token", "masked", "pooled"),
    "flat": ("sequence",),
}
"""The levels that exist for each mixing.

- position: n sequences at one position, for each position by itself.
- token: all positions of all sequences.
- masked: the hidden tokens.
- pooled: mean over the positions of each sequence.
- sequence: the one stream of each sequence.
"""


class LevelError(ValueError):
    """A level that does not exist for the mixing.

    Attributes:
        mixing: of the network.
        level: what was asked for.
        allowed: the levels that exist.
    """

    def __init__(self, mixing: str, level: str, allowed: tuple[str, ...]) -> None:
        super().__init__(mixing, level, allowed)  # all three, so that it survives pickling
        self.mixing = mixing
        self.level = level
        self.allowed = allowed

    def __str__(self) -> str:
        return (
            f"level {self.level!r} does not exist for mixing {self.mixing!r}; "
            f"allowed: {', '.join(self.allowed)}"
        )


def checked_levels(mixing: str, levels: Sequence[str]) -> frozenset[str]:
    """The levels asked for.

    Raises:
        LevelError: one of them does not exist for the mixing.
    """
    for level in levels:
        if level not in LEVELS_OF[mixing]:
            raise LevelError(mixing, level, LEVELS_OF[mixing])
    return frozenset(levels)

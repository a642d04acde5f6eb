"""The levels: which rows of the residual stream one matrix is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from rgcore.mixing import MIXINGS
from rgcore.network import Architecture

LEVELS_OF: dict[str, tuple[str, ...]] = {name: row.levels for name, row in MIXINGS.items()}
"""The levels that exist for each mixing.

- position: n sequences at one position, for each position by itself.
- token: all positions of all sequences.
- masked: the hidden tokens.
- pooled: mean over the positions of each sequence.
- sequence: the one stream of each sequence.
"""

ROWS_OF: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "position": lambda stream, mask: stream.transpose(0, 1),  # noqa: ARG005
    "token": lambda stream, mask: stream.flatten(0, 1)[None],  # noqa: ARG005
    "masked": lambda stream, mask: stream[mask][None],
    "pooled": lambda stream, mask: stream.double().mean(dim=1)[None],  # noqa: ARG005
    "sequence": lambda stream, mask: stream[None],  # noqa: ARG005
}
"""The rows (G, m, d) of each level, in G groups, out of a stream and its mask."""


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


def full_context(arch: Architecture) -> slice:
    """The positions whose whole view lies inside the sequence, over which `position` averages.

    Mixing `context`: those at least c from both ends; there may be none. `mixer`: all, as each
    sees the whole sequence. `window`: those at least L from both ends, or all if there are none,
    as the view of a deep network is longer than the sequence everywhere.
    """
    radius = arch.view_radius or 0
    inside = slice(radius, max(radius, arch.seq_len - radius))
    if arch.mixing == "window" and inside.start >= inside.stop:
        return slice(None)
    return inside

"""The mixings: one row for each, with what its network is made of. Weights are in `rgcore.network`.

A new mixing is a row here, a class in `rgcore.network.build`, and a branch of
`rgcore.fleet.forward` if its blocks read what no other reads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

BY_POSITION = ("position", "token", "masked", "pooled")
"""Levels of a network that has a stream at every position."""


class Sizes(Protocol):
    """The sizes of a network that its mixing makes something of."""

    @property
    def seq_len(self) -> int:
        """T, tokens per sequence."""

    @property
    def context(self) -> int:
        """c, tokens to each side of a window."""

    @property
    def depth(self) -> int:
        """L, residual blocks."""


@dataclass(frozen=True)
class Mixing:
    """How tokens reach a residual stream.

    Attributes:
        slots: tokens that enter one stream.
        view_radius: how many tokens to each side can reach the read-out of a position; None for
            the whole sequence, wherever the position is.
        levels: that exist, see `rgcore.measurement.levels`.
        reads: normed streams that enter a block at each position.
        one_stream: whether a sequence has one stream, and no positions.
        by_itself: whether a position can be computed without the others.
        token_mlp: whether every block has an MLP over the positions, too.
    """

    slots: Callable[[Sizes], int]
    view_radius: Callable[[Sizes], int | None]
    levels: tuple[str, ...] = BY_POSITION
    reads: int = 1
    one_stream: bool = False
    by_itself: bool = False
    token_mlp: bool = False


MIXINGS: dict[str, Mixing] = {
    # a window of tokens around each position enters its stream
    "context": Mixing(
        slots=lambda sizes: 2 * sizes.context + 1,
        view_radius=lambda sizes: sizes.context,
        by_itself=True,
    ),
    # the whole sequence enters its one stream
    "flat": Mixing(
        slots=lambda sizes: sizes.seq_len,
        view_radius=lambda _: None,
        levels=("sequence",),
        one_stream=True,
    ),
    # a token enters; each block mixes all positions
    "mixer": Mixing(slots=lambda _: 1, view_radius=lambda _: None, token_mlp=True),
    # a token enters; each block reads the positions next door
    "window": Mixing(slots=lambda _: 1, view_radius=lambda sizes: sizes.depth, reads=3),
}

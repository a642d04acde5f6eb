"""The tokens that say nothing more of a hidden one, once its nearest visible ones are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rgcore.chain import Chain


@dataclass(frozen=True, eq=False)
class Irrelevant:
    """The second visible tokens to each side of hidden ones.

    Attributes:
        exists: (m,), for each hidden token, row by row, whether its view holds two visible ones
            on each side.
        innovation: (m', 2V), for each that does: one-hot of the second to the left less its law
            given the first, then the same to the right.
    """

    exists: NDArray[np.bool_]
    innovation: NDArray[np.float64]


def irrelevant_tokens(
    chain: Chain, tokens: ArrayLike, mask: ArrayLike, radius: int | None
) -> Irrelevant:
    """What the farther visible tokens hold beyond the nearer ones.

    With a and b the nearest and the next visible place to the left, the law of x_b given x_a is
    the row x_a of the reversed chain's (a - b)-th power; to the right, of P's. By the Markov
    property the innovation has mean zero given x_a and everything to the other side of a: it is
    uncorrelated with the hidden token, and with the nearest ones.

    Args:
        chain: the law of the sequences.
        tokens: (n, T) states.
        mask: (n, T), True where the token is hidden.
        radius: places seen to each side; None for the whole sequence.
    """
    states, hidden = np.asarray(tokens), np.asarray(mask)
    n, length = states.shape
    reach = length if radius is None else radius
    row, place = np.nonzero(hidden)
    places = np.arange(length)
    before = np.full((n, length + 1), -1)  # last visible place before t; -1 for none
    before[:, 1:] = np.maximum.accumulate(np.where(hidden, -1, places), axis=1)
    after = np.full((n, length + 2), length)  # first visible place from t on; T for none
    seen = np.where(hidden, length, places)
    after[:, :length] = np.minimum.accumulate(seen[:, ::-1], axis=1)[:, ::-1]
    left = before[row, place]
    left_next = before[row, np.maximum(left, 0)]
    right = after[row, place + 1]
    right_next = after[row, right + 1]
    exists = (left_next >= np.maximum(0, place - reach)) & (
        right_next <= np.minimum(length - 1, place + reach)
    )
    row, left, left_next = row[exists], left[exists], left_next[exists]
    right, right_next = right[exists], right_next[exists]
    innovation = [
        _innovation(
            chain.reversed_transition, states[row, left], states[row, left_next], left - left_next
        ),
        _innovation(
            chain.transition, states[row, right], states[row, right_next], right_next - right
        ),
    ]
    return Irrelevant(exists, np.concatenate(innovation, axis=1))


def _innovation(
    step: NDArray[np.float64],
    near: NDArray[np.int64],
    far: NDArray[np.int64],
    distance: NDArray[np.int64],
) -> NDArray[np.float64]:
    """One-hot of the far states (m,) less their laws, `distance` steps from the near ones."""
    found = np.eye(len(step))[far]  # (m, V)
    power = np.eye(len(step))
    for now in range(1, 1 + distance.max(initial=0)):
        power = power @ step
        there = distance == now
        found[there] -= power[near[there]]
    return found

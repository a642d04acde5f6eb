"""What the best reader of a window knows of the hidden tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rgcore.chain.bayes import checked_sequences
from rgcore.chain.chain import Chain

if TYPE_CHECKING:
    import torch


def visible_posterior(
    chain: Chain,
    tokens: ArrayLike | torch.Tensor,
    mask: ArrayLike | torch.Tensor,
    radius: int | None,
) -> NDArray[np.float64]:
    """Law of every hidden token given the visible tokens within a radius of it.

    By the Markov property only the nearest visible token to each side speaks: with u standing a
    places before and w standing b places after, p(x_t | u, w) is P^a[u, x_t] P^b[x_t, w] over its
    sum. With none before, pi takes the place of the first factor; with none after, 1 that of the
    second. Beyond the ends of the sequence there is nothing to see.

    Args:
        chain: the law of the sequences; detailed balance is not needed.
        tokens: (n, T) states; what stands at hidden places is not read.
        mask: (n, T), True where the token is hidden.
        radius: places seen to each side, see `Architecture.view_radius`; None for the whole
            sequence, where this is `bayes_posterior` at the hidden places.

    Returns:
        (m, V) float64, one law for each hidden token, row by row.

    Raises:
        ValueError: shapes differ, a visible token is no state, the radius is negative, or the two
            nearest visible tokens of a hidden one cannot both stand there in this chain.
    """
    states, hidden = checked_sequences(chain, tokens, mask)
    view = _view(states, hidden, radius)
    law = np.tile(chain.stationary, (len(view.row), 1))  # (m, V)
    likelihood = np.ones_like(law)
    step = np.eye(chain.n_states)
    for distance in range(1, 1 + max(view.past.max(initial=0), view.future.max(initial=0))):
        step = step @ chain.transition  # P^distance
        law[view.past == distance] = step[view.before[view.past == distance]]
        likelihood[view.future == distance] = step.T[view.after[view.future == distance]]
    law *= likelihood
    total = law.sum(axis=1)
    _refuse_impossible(view, total)
    law /= total[:, None]
    return law


def bayes_visible_loss(
    chain: Chain,
    tokens: ArrayLike | torch.Tensor,
    mask: ArrayLike | torch.Tensor,
    radius: int | None,
) -> float:
    """Mean over hidden tokens of -ln p(x_t | visible tokens within a radius of t), in nats.

    No network that sees no further has a lower expected loss. At radius 0 it is the cross-entropy
    of pi, at None `bayes_masked_loss`. The sum under P^a[u, x] P^b[x, w] is P^(a+b)[u, w], and
    pi[w] where nothing is seen before, so that each token takes three entries of powers of P and
    no law is ever written out: memory is O(n T).

    Args:
        chain: the law of the sequences; detailed balance is not needed.
        tokens: (n, T) states, the hidden ones included.
        mask: (n, T), True where the token is hidden.
        radius: places seen to each side; None for the whole sequence.

    Raises:
        ValueError: nothing is hidden, or what `visible_posterior` raises.
    """
    states, hidden = checked_sequences(chain, tokens, mask, all_tokens=True)
    if not hidden.any():
        raise ValueError("no token is masked: the masked loss is a mean over masked tokens")
    view = _view(states, hidden, radius)
    token = states[hidden]  # (m,)
    both = np.where(view.past > 0, view.past + view.future, 0)
    first = _step_probability(chain, view.before, token, view.past)
    second = _step_probability(chain, token, view.after, view.future)
    total = _step_probability(chain, view.before, view.after, both)
    seen_after = view.future > 0
    second[~seen_after] = total[~seen_after] = 1.0
    _refuse_impossible(view, total)
    with np.errstate(divide="ignore"):  # an impossible token costs inf
        return float(np.mean(np.log(total) - np.log(first) - np.log(second)))


@dataclass(frozen=True, eq=False)
class _View:
    """The nearest visible tokens of m hidden ones, row by row.

    Attributes:
        row: (m,), the sequence of the hidden token.
        before: (m,), the state seen nearest before it; any state where there is none.
        past: (m,), how many places before; 0 where there is none within the radius.
        after: (m,), as `before`, on the other side.
        future: (m,), as `past`, on the other side.
    """

    row: NDArray[np.int64]
    before: NDArray[np.int64]
    past: NDArray[np.int64]
    after: NDArray[np.int64]
    future: NDArray[np.int64]


def _view(states: NDArray[np.int64], hidden: NDArray[np.bool_], radius: int | None) -> _View:
    """The view of every hidden token.

    Raises:
        ValueError: the radius is negative.
    """
    if radius is not None and radius < 0:
        raise ValueError(f"radius is {radius}; allowed: 0 or more, or None for the whole sequence")
    length = states.shape[1]
    reach = length if radius is None else radius
    places = np.arange(length)
    last = np.maximum.accumulate(np.where(hidden, -1, places), axis=1)  # (n, T), -1 for none
    first = np.minimum.accumulate(np.where(hidden, length, places)[:, ::-1], axis=1)[:, ::-1]
    row, place = np.nonzero(hidden)
    last, first = last[row, place], first[row, place]  # (m,)
    past = np.where((last >= 0) & (place - last <= reach), place - last, 0)
    future = np.where((first < length) & (first - place <= reach), first - place, 0)
    return _View(
        row=row,
        before=np.where(past > 0, states[row, place - past], 0),
        past=past,
        after=np.where(future > 0, states[row, place + future], 0),
        future=future,
    )


def _step_probability(
    chain: Chain,
    begin: NDArray[np.int64],
    end: NDArray[np.int64],
    distance: NDArray[np.int64],
) -> NDArray[np.float64]:
    """P^distance[begin, end], all (m,); pi[end] at distance 0, where nothing is seen."""
    found = chain.stationary[end]
    step = np.eye(chain.n_states)
    for now in range(1, 1 + distance.max(initial=0)):
        step = step @ chain.transition
        there = distance == now
        found[there] = step[begin[there], end[there]]
    return found


def _refuse_impossible(view: _View, total: NDArray[np.float64]) -> None:
    if not (total > 0).all():
        row = view.row[np.argmin(total > 0)]
        raise ValueError(f"the visible tokens of sequence {row} are impossible in this chain")

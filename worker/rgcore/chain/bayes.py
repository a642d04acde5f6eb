"""What the best possible reader knows of the hidden tokens: forward-backward over the chain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rgcore.chain.chain import Chain

if TYPE_CHECKING:
    import torch

CHUNK_VALUES = 2**22
"""Float64 values of one array (n, T, V) held at a time by the loss: 32 MiB."""


def bayes_posterior(
    chain: Chain, tokens: ArrayLike | torch.Tensor, mask: ArrayLike | torch.Tensor
) -> NDArray[np.float64]:
    """Law of every token given all visible tokens of its sequence.

    The scaled forward-backward recursion (Rabiner 1989) with p(visible token | state) = 0 or 1.

    Args:
        chain: the law of the sequences.
        tokens: (n, T) states; what stands at hidden places is not read.
        mask: (n, T), True where the token is hidden.

    Returns:
        (n, T, V) float64, each row summing to 1; at a visible token, 1 at its state.

    Raises:
        ValueError: shapes differ, a visible token is no state, or the visible tokens of a
            sequence cannot follow each other in this chain.

    Example:
        >>> from rgcore.chain import make_chain
        >>> chain = make_chain("explicit", matrix=[[0.9, 0.1], [0.1, 0.9]])
        >>> posterior = bayes_posterior(chain, [[0, 1, 0]], [[False, True, False]])
        >>> posterior[0, 1].round(6)  # between two tokens of state 0: 0.81 against 0.01
        array([0.987805, 0.012195])
    """
    states, hidden = checked_sequences(chain, tokens, mask)
    return _posterior(chain, states, hidden)


def bayes_masked_loss(
    chain: Chain, tokens: ArrayLike | torch.Tensor, mask: ArrayLike | torch.Tensor
) -> float:
    """Mean over hidden tokens of -ln p(x_t | all visible tokens), in nats.

    No reader of the same masked sequences has a lower expected loss. Memory is bounded: sequences
    are taken a chunk at a time.

    Args:
        chain: the law of the sequences.
        tokens: (n, T) states, the hidden ones included.
        mask: (n, T), True where the token is hidden.

    Raises:
        ValueError: nothing is hidden, or what `bayes_posterior` raises.

    Example:
        >>> from rgcore.chain import make_chain
        >>> chain = make_chain("explicit", matrix=[[0.9, 0.1], [0.1, 0.9]])
        >>> loss = bayes_masked_loss(chain, [[0, 0, 0]], [[False, True, False]])
        >>> round(loss, 6)  # -ln(0.81 / 0.82)
        0.01227
    """
    states, hidden = checked_sequences(chain, tokens, mask, all_tokens=True)
    if not hidden.any():
        raise ValueError("no token is masked: the masked loss is a mean over masked tokens")
    total = 0.0
    rows = max(1, CHUNK_VALUES // (states.shape[1] * chain.n_states))
    for part in _chunks(len(states), rows):
        law = _posterior(chain, states[part], hidden[part])[hidden[part]]  # (m, V)
        with np.errstate(divide="ignore"):  # an impossible token costs inf
            total -= float(np.log(law[np.arange(len(law)), states[part][hidden[part]]]).sum())
    return total / int(hidden.sum())


def _posterior(
    chain: Chain, states: NDArray[np.int64], hidden: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """As `bayes_posterior`, on checked input."""
    n, length = states.shape
    step, one_hot = chain.transition, np.eye(chain.n_states)
    states = np.where(hidden, 0, states)  # a hidden place may hold anything
    unseen = hidden[:, :, None]  # (n, T, 1)
    law = np.empty((length, n, chain.n_states))  # time first: each step writes one block
    ahead = np.broadcast_to(chain.stationary, (n, chain.n_states))
    for t in range(length):  # law[t] = p(x_t | visible before t)
        law[t] = ahead
        ahead = np.where(unseen[:, t], ahead @ step, step[states[:, t]])
    behind = np.ones((n, chain.n_states))
    for t in reversed(range(length)):  # behind = p(visible after t | x_t), up to a factor
        law[t] *= behind
        seen = states[:, t]
        total = np.where(hidden[:, t], law[t].sum(axis=1), law[t][np.arange(n), seen])  # (n,)
        if not (total > 0).all():
            row = int(np.flatnonzero(~(total > 0))[0])
            raise ValueError(f"the visible tokens of sequence {row} are impossible in this chain")
        law[t] = np.where(unseen[:, t], law[t] / total[:, None], one_hot[seen])
        behind = np.where(unseen[:, t], behind @ step.T, step.T[seen])
        behind /= np.maximum(behind.max(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    return np.ascontiguousarray(law.transpose(1, 0, 2))


def checked_sequences(
    chain: Chain,
    tokens: ArrayLike | torch.Tensor,
    mask: ArrayLike | torch.Tensor,
    *,
    all_tokens: bool = False,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Tokens and mask as arrays of one shape (n, T).

    Raises:
        ValueError: shapes differ, or a visible token is no state (with all_tokens, any token).
    """
    states = _array(tokens).astype(np.int64)
    hidden = _array(mask).astype(np.bool_)
    if states.ndim != 2 or states.shape != hidden.shape:
        raise ValueError(f"tokens are {states.shape} and mask {hidden.shape}; allowed: both (n, T)")
    read = states if all_tokens else states[~hidden]
    if read.size and not (read.min() >= 0 and read.max() < chain.n_states):
        raise ValueError(
            f"tokens run from {read.min()} to {read.max()}; allowed: 0 to {chain.n_states - 1}"
        )
    return states, hidden


def _array(values: ArrayLike | torch.Tensor) -> NDArray[np.generic]:
    fetch = getattr(values, "cpu", None)  # a tensor may lie on another device
    return np.asarray(values if fetch is None else fetch())


def _chunks(n: int, size: int) -> Iterator[slice]:
    for begin in range(0, n, size):
        yield slice(begin, begin + size)

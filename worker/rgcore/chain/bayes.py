"""The Bayes-optimal prediction of hidden tokens: forward-backward over the chain."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from rgcore.chain.chain import Chain, Floats

Tokens = torch.Tensor | NDArray[np.int64]
Mask = torch.Tensor | NDArray[np.bool_]


def bayes_posterior(chain: Chain, tokens: Tokens, mask: Mask) -> Floats:
    """p(x_t | all visible tokens) of every position; (n, T, V).

    Args:
        chain: the chain the tokens come from.
        tokens: (n, T) states.
        mask: (n, T), True where the token is hidden. A visible position has all its weight on
            its own token.

    Source: Rabiner 1989, scaled forward-backward, with the mask as the emission.
    """
    states = np.asarray(tokens)
    hidden = np.asarray(mask, dtype=bool)
    n, length = states.shape
    seen = np.where(hidden[..., None], 1.0, np.eye(chain.n_states)[states])  # (n, T, V)
    forward = np.empty((n, length, chain.n_states))
    backward = np.empty_like(forward)
    message = np.broadcast_to(chain.stationary, (n, chain.n_states))
    for t in range(length):
        forward[:, t] = _normalised(message * seen[:, t])
        message = forward[:, t] @ chain.transition
    message = np.ones((n, chain.n_states))
    for t in reversed(range(length)):
        backward[:, t] = message
        message = _normalised((seen[:, t] * message) @ chain.transition.T)
    return _normalised(forward * backward)


def bayes_masked_loss(chain: Chain, tokens: Tokens, mask: Mask) -> float:
    """The least possible masked-token loss on these very masks, nats.

    The mean over hidden tokens of -ln p(x_t | all visible tokens).

    Raises:
        ValueError: no token is hidden.
    """
    states = np.asarray(tokens)
    hidden = np.asarray(mask, dtype=bool)
    if not hidden.any():
        raise ValueError("no token is hidden: the loss is a mean over none")
    posterior = bayes_posterior(chain, states, hidden)
    right = np.take_along_axis(posterior, states[..., None], axis=2)[..., 0]  # (n, T)
    return float(-np.log(right[hidden]).mean())


def _normalised(weights: Floats) -> Floats:
    return weights / weights.sum(axis=-1, keepdims=True)  # type: ignore[no-any-return]

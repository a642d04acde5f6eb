"""Networks whose weights are set by hand, so that what they compute is known exactly."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from rgcore.chain import Chain
from rgcore.network import Architecture, ResidualNetwork, build_network
from rgcore.random import derive_generator


def linear_network(
    chain: Chain, seq_len: int, radius: int, tables: NDArray[np.float64]
) -> ResidualNetwork:
    """A `context` network that adds up one table per slot of its window; its blocks do nothing.

    Every h_l(t) is sum_i tables[i, x_{t+i}], and the first V entries of h_L are the logits.

    Args:
        chain: law of the tokens.
        seq_len: T.
        radius: c.
        tables: (2c + 1, V + 2, d) with d >= V + 2; ids V and V + 1 are the mask and the padding.
    """
    width = tables.shape[-1]
    network = build_network(
        Architecture(
            n_states=chain.n_states, seq_len=seq_len, mixing="context", context=radius, depth=2,
            width=width, hidden_ratio=1.0, activation="relu", norm="none", residual_scale=1.0,
            init_scale=1.0,
        ),
        derive_generator(0, "calibration"),
    )  # fmt: skip
    ids = chain.n_states + 2
    one_hot = np.eye(ids, width)
    of_slots = np.zeros((len(tables), width, width))
    of_slots[:, :ids] = tables
    weights = network.state_dict()
    weights["stem.embedding"] = torch.tensor(one_hot)
    weights["stem.weight"] = torch.tensor(of_slots)
    for name in weights:
        if ".leave." in name or name == "head.bias":
            weights[name] = torch.zeros_like(weights[name])
    weights["head.weight"] = torch.eye(chain.n_states, width)
    network.load_state_dict(weights)
    return network


def one_hot_tables(n_states: int, radius: int) -> NDArray[np.float64]:
    """Tables that put the one-hot vector of each visible token in a place of its own.

    The mask and the padding give zero. (2c + 1, V + 2, (2c + 1) V).
    """
    slots = 2 * radius + 1
    tables = np.zeros((slots, n_states + 2, slots * n_states))
    for slot in range(slots):
        states = np.arange(n_states)
        tables[slot, states, slot * n_states + states] = 1.0
    return tables


def posterior_tables(chain: Chain) -> NDArray[np.float64]:
    """Tables whose sum is the log of the exact posterior given both neighbours, (3, V + 2, V + 2).

    p(x | l, r) is proportional to P(l, x) P(x, r); a neighbour that is hidden or does not exist
    gives pi(x) on the left and 1 on the right. The token itself, being hidden, says nothing.
    """
    states = chain.n_states
    tables = np.zeros((3, states + 2, states + 2))
    tables[0, :states, :states] = np.log(chain.transition)
    tables[0, states:, :states] = np.log(chain.stationary)
    tables[2, :states, :states] = np.log(chain.transition.T)
    return tables

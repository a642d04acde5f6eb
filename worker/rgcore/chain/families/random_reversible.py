"""A random chain in detailed balance, brought to a given correlation length."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv, logsumexp

from rgcore.chain.chain import Chain
from rgcore.chain.errors import ChainError
from rgcore.chain.families.registry import family
from rgcore.chain.markov import markov_chain

LEAST_CONCENTRATION = 0.01
"""Below it nearly all weight sits on one pair of states and float64 holds no chain of it."""
MOST_CONCENTRATION = 1e6


@family
def random_reversible(
    n_states: int, corr_len: float, seed: int, *, concentration: float = 1.0
) -> Chain:
    """Symmetric Gamma weights w_ij = w_ji, row-normalised, with |l2| set to exp(-1 / xi).

    With M the largest of |l2..lV| before and t = exp(-1 / xi) the wanted one:

    - M >= t: P -> aP + (1 - a) 1 pi^T with a = t / M scales every eigenvalue but the first.
    - M < t: P -> (1 - b)P + bI moves each l to l + b (1 - l). Negative ones only lose modulus, so
      the largest l, not the largest |l|, arrives at t first: b = (t - max l) / (1 - max l).

    Neither changes pi. Chains of one seed share their weights at every xi.

    Args:
        n_states: V.
        corr_len: xi, in tokens.
        seed: draws the weights.
        concentration: shape of the Gamma law of the weights; small is sparse and uneven.

    Raises:
        ChainError: the concentration is out of range.
    """
    if not LEAST_CONCENTRATION <= concentration <= MOST_CONCENTRATION:
        allowed = f"{LEAST_CONCENTRATION} to {MOST_CONCENTRATION:g}"
        raise ChainError("concentration", concentration, allowed)
    log_weights = _log_weights(n_states, concentration, seed)  # (V, V)
    log_degree = logsumexp(log_weights, axis=1)  # (V,)
    transition = np.exp(log_weights - log_degree[:, None])
    stationary = np.exp(log_degree - logsumexp(log_degree))
    half = 0.5 * log_degree
    symmetric = np.exp(log_weights - half[:, None] - half)
    others = np.linalg.eigvalsh(symmetric)[:-1]  # rising; the last is the trivial 1
    wanted = math.exp(-1.0 / corr_len)
    largest = float(np.abs(others).max())
    if largest >= wanted:
        kept = wanted / largest
        transition = kept * transition + (1.0 - kept) * stationary
    else:
        stay = (wanted - others[-1]) / (1.0 - others[-1])
        transition = (1.0 - stay) * transition + stay * np.eye(n_states)
    transition /= transition.sum(axis=1, keepdims=True)
    stationary /= stationary.sum()
    return markov_chain("random_reversible", transition, stationary)


def _log_weights(n_states: int, concentration: float, seed: int) -> NDArray[np.float64]:
    """Logarithms of symmetric Gamma(concentration) weights, (V, V).

    As G(k) = G(k + 1) U^(1/k) (Marsaglia & Tsang 2000), in logarithms, because U^(1/k) underflows
    for small k. By inverse transform, so that a seed means the same in every numpy.
    """
    import torch  # noqa: PLC0415 - its engine draws; no other family needs it

    from rgcore.random import derive_generator  # noqa: PLC0415

    generator = derive_generator(seed, "chain")
    upper = np.triu_indices(n_states)
    uniform = torch.rand(2, len(upper[0]), dtype=torch.float64, generator=generator).numpy()
    uniform = np.maximum(uniform, 2.0**-54)  # open at 0; torch keeps it below 1
    values = np.log(gammaincinv(concentration + 1.0, uniform[0]))
    values += np.log(uniform[1]) / concentration
    weights = np.empty((n_states, n_states))
    weights[upper] = values
    weights.T[upper] = values
    return weights

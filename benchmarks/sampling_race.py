"""Sequences of a chain on one core: RGLab beside QuantEcon."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.ceilings import random_numbers
from benchmarks.effort import Effort
from benchmarks.gate import same_numbers
from benchmarks.peers import named, peer
from benchmarks.race import TOKENS, Race
from benchmarks.timing import interleave, repeated, threads
from rgcore.chain import Chain, make_chain

NAME = "sample sequences"
PEER = "quantecon"
SIZES = tuple((n_states, seq_len) for n_states in (16, 64) for seq_len in (32, 128))
"""(V, T)."""
CORR_LEN = 2.0
WORST = 6.0
"""Standard deviations by which one of V^2 counts may miss its mean; one true sampler in 10^5 misses
one at V = 64."""
REPEATS = 3

Array = NDArray[Any]


def shape_of(n_states: int, seq_len: int) -> str:
    """A size in words."""
    return f"V = {n_states}, T = {seq_len}"


def race(n_states: int, seq_len: int, effort: Effort) -> list[Race]:
    """RGLab's sampler beside QuantEcon's, both from the stationary law on.

    Raises:
        RefusedError: QuantEcon is missing, or one of them samples another law.
    """
    markov = peer(PEER, PEER).MarkovChain
    chain = make_chain("random_reversible", n_states, CORR_LEN)
    their_chain = markov(chain.transition)
    generator, their_generator = torch.Generator().manual_seed(0), np.random.default_rng(0)
    first = np.cumsum(chain.stationary)
    n = effort.sequences

    def ours() -> Array:
        return np.asarray(chain.sample(n, seq_len, generator).numpy())

    def theirs() -> Array:
        begin = np.minimum(np.searchsorted(first, their_generator.random(n)), n_states - 1)
        return np.asarray(their_chain.simulate(seq_len, init=begin, random_state=their_generator))

    with threads(1):
        worst = max(same_law(ours(), chain), same_law(theirs(), chain))
        units = n * seq_len
        found = interleave(
            {
                "ours": repeated(ours, units=units, times=REPEATS),
                "theirs": repeated(theirs, units=units, times=REPEATS),
                "ceiling": random_numbers(units),
            },
            effort.rounds,
        )
    return [
        Race(
            name=NAME,
            shape=shape_of(n_states, seq_len),
            members=1,
            cores=1,
            unit=TOKENS,
            peer=named(PEER),
            ours=found["ours"],
            theirs=found["theirs"],
            ceiling=found["ceiling"],
            bound="its random numbers",
            check=f"counts within {worst:.1f} sd",
        )
    ]


def same_law(tokens: Array, chain: Chain) -> float:
    """The largest deviation of a transition count from its mean, in standard deviations.

    Args:
        tokens: (n, T).
        chain: whose law they should have.

    Raises:
        RefusedError: it is above `WORST`.
    """
    counts = np.zeros(chain.transition.shape)
    np.add.at(counts, (tokens[:, :-1].ravel(), tokens[:, 1:].ravel()), 1)
    visits = counts.sum(axis=1, keepdims=True)
    expected = visits * chain.transition
    spread = np.sqrt(expected * (1 - chain.transition))
    normal = expected * (1 - chain.transition) >= 10  # rarer counts have longer tails
    deviations = np.abs(counts - expected)[normal] / spread[normal]
    begins = np.bincount(tokens[:, 0], minlength=chain.n_states)
    law = chain.stationary
    of_first = np.abs(begins - len(tokens) * law) / np.sqrt(len(tokens) * law * (1 - law))
    both = np.concatenate([deviations, of_first])
    return same_numbers(both.max(), 0.0, WORST, "a transition count, in standard deviations,")

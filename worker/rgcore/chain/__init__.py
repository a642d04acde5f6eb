"""Markov chains whose spectrum is known, and the best possible prediction of hidden tokens."""

from rgcore.chain.bayes import bayes_masked_loss, bayes_posterior
from rgcore.chain.chain import Chain
from rgcore.chain.errors import ChainError
from rgcore.chain.families import FAMILIES, make_chain

__all__ = [
    "FAMILIES",
    "Chain",
    "ChainError",
    "bayes_masked_loss",
    "bayes_posterior",
    "make_chain",
]

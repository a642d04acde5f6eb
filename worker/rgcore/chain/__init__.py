"""Markov chains with known correlation length, and what is known exactly about them."""

from rgcore.chain.bayes import bayes_masked_loss, bayes_posterior
from rgcore.chain.chain import Chain, reversible_chain
from rgcore.chain.errors import ChainError
from rgcore.chain.families import FAMILIES, make_chain

__all__ = [
    "FAMILIES",
    "Chain",
    "ChainError",
    "bayes_masked_loss",
    "bayes_posterior",
    "make_chain",
    "reversible_chain",
]

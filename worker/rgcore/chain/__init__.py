"""Markov chains with known correlation length, and what is known exactly about them."""

from rgcore.chain.bayes import bayes_masked_loss, bayes_posterior
from rgcore.chain.chain import Chain
from rgcore.chain.errors import ChainError
from rgcore.chain.families import FAMILIES
from rgcore.chain.make import make_chain
from rgcore.chain.markov import markov_chain
from rgcore.chain.visible import bayes_visible_loss, visible_posterior

__all__ = [
    "FAMILIES",
    "Chain",
    "ChainError",
    "bayes_masked_loss",
    "bayes_posterior",
    "bayes_visible_loss",
    "make_chain",
    "markov_chain",
    "visible_posterior",
]

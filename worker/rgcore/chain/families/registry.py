"""Which families of chains there are: each registers itself, beside how it is made.

A file of this folder that registers a function is a family; nothing else in `rgcore` names it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from rgcore.chain.chain import Chain

Build = TypeVar("Build", bound=Callable[..., Chain])

FAMILIES: dict[str, Callable[..., Chain]] = {}
"""Name to f(n_states, corr_len, seed, *, own parameters); what has no default is needed."""


def family(build: Build) -> Build:
    """Decorator: chains are made by this function under its name."""
    FAMILIES[build.__name__] = build
    return build

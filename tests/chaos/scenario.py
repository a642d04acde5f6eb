"""What a fault or an attack is, and all of them there are."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from tests.chaos import scenarios


@dataclass(frozen=True)
class Effort:
    """How much is done.

    Attributes:
        quick: minutes in place of an hour.
        seed: of all that is drawn.
        directory: an empty one, with a short path, for servers and logs.
    """

    quick: bool
    seed: int
    directory: Path


@dataclass(frozen=True)
class Seen:
    """What came of it.

    Attributes:
        held: whether the promise was kept.
        what: the numbers, in one line.
    """

    held: bool
    what: str


@dataclass(frozen=True)
class Scenario:
    """A fault or an attack.

    Attributes:
        name: of the fault.
        promised: what is to hold meanwhile and afterwards.
        run: does it; what it raises counts as a promise that was not kept.
    """

    name: str
    promised: str
    run: Callable[[Effort], Seen]


def known() -> dict[str, Scenario]:
    """Module name -> its scenario, in the order of their names."""
    names = sorted(module.name for module in pkgutil.iter_modules(scenarios.__path__))
    return {name: import_module(f"{scenarios.__name__}.{name}").SCENARIO for name in names}

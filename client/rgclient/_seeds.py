"""Which training seeds of a shared experiment a handle is about, and how a query says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rgclient._errors import InvalidValue
from rgclient._plain import plain
from rgcontract.section import MAX_SEED, MAX_SEEDS

if TYPE_CHECKING:
    from collections.abc import Iterable

Seeds = tuple[int, ...] | None
"""Training seeds, in order; None for all that the lab has, whoever asked for them."""
ALLOWED = (
    f"how many (1 to {MAX_SEEDS}; 3 means 0, 1, 2), or a list of distinct seeds (0 to {MAX_SEED})"
)


def which(seeds: Any) -> Seeds:
    """The seeds that are meant by a count or a list, as in a submission.

    Raises:
        InvalidValue: it is neither.
    """
    if seeds is None:
        return None
    value = plain(seeds, "seeds")
    if type(value) is int and 1 <= value <= MAX_SEEDS:
        return tuple(range(value))
    if isinstance(value, list) and value and all(map(_is_seed, value)) and _distinct(value):
        return tuple(sorted(value))
    raise InvalidValue(f"seeds is {value!r}; send {ALLOWED}")


def told(seeds: Iterable[int]) -> Seeds:
    """The seeds that an answer names; None where an older server named none."""
    return tuple(seeds) or None


def query(seeds: Seeds) -> dict[str, str]:
    """The query that asks about these seeds."""
    return {} if seeds is None else {"seeds": ",".join(map(str, seeds))}


def argument(seeds: Seeds) -> str:
    """The same as an argument of `get`, after the name."""
    return "" if seeds is None else f", seeds={list(seeds)}"


def _distinct(values: list[int]) -> bool:
    return len(set(values)) == len(values)


def _is_seed(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MAX_SEED

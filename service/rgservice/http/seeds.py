"""`seeds=` of the query: which training seeds of a shared record a request is about."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated

from fastapi import Query

from rgcontract.section import MAX_SEED
from rgservice.http.errors import InvalidQuery
from rgservice.http.paging import refused

SeedsQuery = Annotated[
    list[str] | None,
    Query(
        description="Training seeds that this is about, separated by commas: `seeds=0,1,2`. "
        "Without it: all that are there, whoever asked for them",
    ),
]
MOST_DIGITS = len(str(MAX_SEED))
MOST_NAMED = 64
"""Seeds that a refusal lists."""


def chosen(written: Sequence[str], there: Collection[int]) -> list[int]:
    """The seeds that a query names, in order.

    Args:
        written: each a list separated by commas.
        there: seeds that can be named.

    Raises:
        InvalidQuery: what is no seed, comes twice, or is not there; says what is.
    """
    parts = [part.strip() for text in written for part in text.split(",")]
    unreadable = [part for part in parts if not _is_seed(part)]
    if unreadable:
        raise _refused(f"{unreadable[0][:40]!r} is no training seed", there)
    seeds = [int(part) for part in parts]
    absent = sorted(set(seeds) - set(there))
    if absent:
        verb = "is" if len(absent) == 1 else "are"
        raise _refused(f"{listed(absent)} {verb} not there; ask for more by a submission", there)
    if len(set(seeds)) < len(seeds):
        raise _refused("has a seed twice", there)
    return sorted(seeds)


def _is_seed(part: str) -> bool:
    return part.isascii() and part.isdigit() and len(part) <= MOST_DIGITS


def _refused(message: str, there: Collection[int]) -> InvalidQuery:
    return refused("seeds", message, f"of {listed(sorted(there))}, separated by commas")


def listed(items: Sequence[object], most: int = MOST_NAMED) -> str:
    """Seeds, or others, in words; of very many the first."""
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(map(str, items[:most])) + more

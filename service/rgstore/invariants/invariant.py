"""An invariant: a name, the sentence that must hold, and how the rows that break it are found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Select, func, select, text

from rgstore import clock
from rgstore.database import Database
from rgstore.records import Summarise

MOST_BREACHES = 100
"""Of one invariant: what is wrong shows in fewer."""

AT_ONCE = 100
"""Experiments, or studies, in one transaction."""

TIMEOUT_MS = 600_000
"""Of a query over a whole lab, which answers nobody who waits for a page."""

Breach = dict[str, Any]
"""Columns of a row that breaks an invariant, which say where it is and what is wrong."""


@dataclass(frozen=True)
class Scope:
    """How much is looked at, and with what."""

    summarise: Summarise
    """Gives the error bars, `rgcore.statistics.summarise_runs`."""
    newest: int | None = None
    """Of what takes long, only so many of the newest experiments or trainings; None for all."""


Finder = Callable[[Database, Scope], Iterator[Breach]]
"""Finds the rows that break an invariant, one after another."""


@dataclass(frozen=True)
class Invariant:
    """What must always hold."""

    name: str
    says: str
    """The sentence that holds."""
    find: Finder

    def breaches(self, database: Database, scope: Scope) -> list[Breach]:
        """The rows that break it, at most `MOST_BREACHES`; none if it holds."""
        return list(islice(self.find(database, scope), MOST_BREACHES))


def stated(name: str, says: str, query: str) -> Invariant:
    """An invariant whose breaches a query finds, which may use `:now`. It reads one moment."""

    def find(database: Database, scope: Scope) -> Iterator[Breach]:  # noqa: ARG001 - all of it
        with database.snapshot() as session:
            is_local = True  # to this transaction
            session.execute(select(func.set_config("statement_timeout", str(TIMEOUT_MS), is_local)))
            at = {"now": session.scalar(select(clock.instant()))}
            bounded = text(f"SELECT * FROM ({query}) AS broken LIMIT {MOST_BREACHES}")  # noqa: S608 - our own text
            rows = session.execute(bounded, at if ":now" in query else {}).mappings().all()
        yield from map(dict, rows)

    return Invariant(name, says, find)


def pages(database: Database, names: Select[Any]) -> Iterator[Sequence[str]]:
    """What a query finds, so many at once as one transaction looks at."""
    with database.snapshot() as session:
        left = iter(session.scalars(names).all())
    while page := list(islice(left, AT_ONCE)):
        yield page

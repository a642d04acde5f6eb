"""The thread of a worker that looks once an hour whether the database is as it must be."""

from __future__ import annotations

import logging
import threading

from rgcore.statistics import summarise_runs
from rgstore import inspections
from rgstore.database import Database
from rgstore.invariants import INVARIANTS, Invariant, Scope
from rgstore.workers import live_workers
from rgworker.presence import AWAY

log = logging.getLogger(__name__)

EVERY_SECONDS = 3600.0
NEWEST = 200
"""Experiments and trainings that are worked out again; `rglab doctor --invariants` takes all."""
MOST_LOGGED = 10
"""Rows of one invariant."""
STOP_SECONDS = 5.0


class Inspector(threading.Thread):
    """Logs as errors the rows that break an invariant, and keeps how many there are.

    In a thread of its own: it may take minutes, and upkeep says every few seconds that the worker
    is alive. Of the workers that are there one does it, the first by name.

    Args:
        database: the lab's.
        worker: its name.
        every_seconds: between rounds.
        invariants: that must hold.
    """

    def __init__(
        self,
        database: Database,
        worker: str,
        *,
        every_seconds: float = EVERY_SECONDS,
        invariants: tuple[Invariant, ...] = INVARIANTS,
    ) -> None:
        """Start with `start()`, end with `stop()`."""
        super().__init__(name="inspector", daemon=True)
        self._database, self._worker = database, worker
        self._every, self._invariants = every_seconds, invariants
        self._stopping = threading.Event()

    def run(self) -> None:
        """Look again and again, the first time after one interval."""
        while not self._stopping.wait(self._every):
            try:
                self.once()
            except AWAY as error:
                log.warning("invariants: %s; looking again in %g s", error, self._every)
            except Exception:  # the thread lives: the next round may see more
                log.exception("invariants: looking again in %g s", self._every)

    def once(self) -> None:
        """One round, if it is this worker's to do."""
        with self._database.begin() as session:
            names = [row.name for row in live_workers(session)]
        if self._worker != min(names, default=self._worker):
            return
        scope = Scope(summarise_runs, newest=NEWEST)
        for invariant in self._invariants:
            if self._stopping.is_set():
                return
            rows = invariant.breaches(self._database, scope)
            with self._database.begin() as session:
                inspections.keep(session, invariant.name, len(rows))
            for row in rows[:MOST_LOGGED]:
                log.error("invariant %s is broken: %s %s", invariant.name, invariant.says, row)
            if len(rows) > MOST_LOGGED:
                log.error("invariant %s: %s rows or more", invariant.name, len(rows))

    def stop(self) -> None:
        """End the thread, within seconds: a query that takes longer is left to itself."""
        self._stopping.set()
        if self.is_alive():
            self.join(STOP_SECONDS)

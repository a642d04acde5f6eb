"""The thread of a worker that keeps the lab's work from getting stuck and its findings current."""

from __future__ import annotations

import logging
import threading
from types import MappingProxyType

from rgstore import upkeep
from rgstore.charges import forget_old
from rgstore.database import Database
from rgstore.quotas import Amounts
from rgstore.workers import forget_silent_workers
from rgworker.findings import refresh_findings
from rgworker.presence import AWAY

log = logging.getLogger(__name__)

MOST_BATCHES = 10
"""Of expired leases, in one round: the others' turn comes with the next."""


class Upkeep(threading.Thread):
    """Frees expired leases, and writes the findings that are due.

    Those are of runs that were measured while nobody could, and of studies whose experiments were
    measured before. Of a large lab a round may take minutes.

    Args:
        database: the lab's.
        every_seconds: between rounds.
        attempt_limit: of the runs that are added to a study.
        lab: quotas that these count for.
    """

    def __init__(
        self,
        database: Database,
        *,
        every_seconds: float,
        attempt_limit: int = 3,
        lab: Amounts = MappingProxyType({}),
    ) -> None:
        """Start with `start()`, end with `stop()`."""
        super().__init__(name="upkeep", daemon=True)
        self._database = database
        self._every, self._attempt_limit, self._lab = every_seconds, attempt_limit, lab
        self._stopping = threading.Event()

    def run(self) -> None:
        """Do the upkeep again and again; a database that is away is waited for."""
        while not self._stopping.is_set():
            try:
                self.once()
            except AWAY as error:
                log.warning("upkeep: %s; trying again in %g s", error, self._every)
            except Exception:  # the thread lives: leases expire as long as there are workers
                log.exception("upkeep failed; trying again in %g s", self._every)
            self._stopping.wait(self._every)

    def once(self) -> None:
        """One round."""
        with self._database.begin() as session:
            ours = upkeep.try_upkeep_lock(session)
            if ours:
                forget_silent_workers(session)
                forget_old(session)
        if ours:
            self._free_all()
        refresh_findings(self._database, attempt_limit=self._attempt_limit, lab=self._lab)

    def stop(self) -> None:
        """End the thread, after the round that it is at."""
        self._stopping.set()
        if self.is_alive():
            self.join()

    def _free_all(self) -> None:
        for _ in range(MOST_BATCHES):
            if not self._free():
                return

    def _free(self) -> bool:
        """Free a batch of expired leases, if this worker is the one to. Whether there were any."""
        with self._database.begin() as session:
            freed = upkeep.try_upkeep_lock(session) and upkeep.free_expired_leases(session)
        for run_id in freed or ():
            log.warning("run %s: its worker was not heard of any more", run_id)
        return bool(freed)

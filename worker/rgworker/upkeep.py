"""The thread of a worker that keeps the lab's work from getting stuck and its findings current."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from types import MappingProxyType

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from rgstore import upkeep
from rgstore.charges import forget_old
from rgstore.database import Database
from rgstore.quotas import Amounts
from rgstore.workers import WORKER_SILENT_AFTER, forget_silent_workers, worker_gone, worker_seen
from rgworker.findings import refresh_findings
from rgworker.hearing import Hearing

log = logging.getLogger(__name__)

AWAY = (DBAPIError, PoolTimeoutError)
"""A database that does not answer."""
MOST_BATCHES = 10
"""Of expired leases, in one round: the others' turn comes with the next."""


class Upkeep(threading.Thread):
    """Says that the worker is alive and whether it hears, and frees expired leases.

    It also writes the findings that are due: of runs that were measured while nobody could, and
    of studies whose experiments were measured before.

    Args:
        database: the lab's.
        hearing: knows when a message came last.
        worker: its name.
        host: where it runs.
        device: kind of device that it trains on.
        concurrency: its trainers.
        every_seconds: between rounds.
        attempt_limit: of the runs that are added to a study.
        lab: quotas that these count for.
        deaf_after: silence of the broker that is worth a word.
    """

    def __init__(
        self,
        database: Database,
        hearing: Hearing,
        *,
        worker: str,
        host: str,
        device: str,
        concurrency: int,
        every_seconds: float,
        attempt_limit: int = 3,
        lab: Amounts = MappingProxyType({}),
        deaf_after: timedelta = WORKER_SILENT_AFTER,
    ) -> None:
        """Start with `start()`, end with `stop()`."""
        super().__init__(name="upkeep", daemon=True)
        self._database, self._hearing = database, hearing
        self._worker, self._host = worker, host
        self._device, self._concurrency = device, concurrency
        self._every, self._attempt_limit = every_seconds, attempt_limit
        self._lab, self._deaf_after = lab, deaf_after
        self._stopping = False
        self._next = threading.Event()
        self._deaf = False
        hearing.at_first(self._next.set)  # it is said at once

    def run(self) -> None:
        """Do the upkeep again and again; a database that is away is waited for."""
        while not self._stopping:
            try:
                self.once()
            except AWAY as error:
                log.warning("upkeep: %s; trying again in %g s", error, self._every)
            except Exception:  # without it the worker would seem to be gone
                log.exception("upkeep failed; trying again in %g s", self._every)
            self._next.wait(self._every)
            self._next.clear()

    def once(self) -> None:
        """One round."""
        self._listen()
        with self._database.begin() as session:
            worker_seen(
                session,
                self._worker,
                self._host,
                self._device,
                self._concurrency,
                heard_before=self._hearing.before,
            )
        refresh_findings(self._database, attempt_limit=self._attempt_limit, lab=self._lab)
        with self._database.begin() as session:
            if not upkeep.try_upkeep_lock(session):
                return
            forget_silent_workers(session)
            forget_old(session)
        for _ in range(MOST_BATCHES):
            if not self._free():
                return

    def stop(self) -> None:
        """End the thread and say that the worker is gone."""
        self._stopping = True
        self._next.set()
        if self.is_alive():
            self.join()
        try:
            with self._database.begin() as session:
                worker_gone(session, self._worker)
        except AWAY as error:
            log.warning("could not sign off: %s", error)

    def _listen(self) -> None:
        """Say so when the broker falls silent, and when it is heard again."""
        silence = self._hearing.silence
        deaf = silence > self._deaf_after
        if deaf and not self._deaf:
            log.warning(
                "no message has come for %.0f s; runs are found by looking meanwhile",
                silence.total_seconds(),
            )
        elif self._deaf and not deaf:
            log.info("messages come again")
        self._deaf = deaf

    def _free(self) -> bool:
        """Free a batch of expired leases, if this worker is the one to. Whether there were any."""
        with self._database.begin() as session:
            freed = upkeep.try_upkeep_lock(session) and upkeep.free_expired_leases(session)
        for run_id in freed or ():
            log.warning("run %s: its worker was not heard of any more", run_id)
        return bool(freed)

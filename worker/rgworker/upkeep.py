"""The thread of a worker that keeps the lab's work from getting stuck and its findings current."""

from __future__ import annotations

import logging
import threading

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError

from rgstore import upkeep
from rgstore.database import Database
from rgstore.messages import CelerySender
from rgworker.findings import refresh_findings

log = logging.getLogger(__name__)

AWAY = (DBAPIError, OperationalError, RedisError, OSError)
"""A database or broker that does not answer; Kombu hands Redis' own errors through."""


class Upkeep(threading.Thread):
    """Says that the worker is alive, frees expired leases, sends lost messages again.

    It also writes the findings that are due: of runs that were measured while nobody could, and
    of studies whose experiments were measured before.
    """

    def __init__(
        self,
        database: Database,
        sender: CelerySender,
        *,
        worker: str,
        host: str,
        device: str,
        concurrency: int,
        every_seconds: float,
        attempt_limit: int = 3,
    ) -> None:
        """Start with `start()`, end with `stop()`."""
        super().__init__(name="upkeep", daemon=True)
        self._database, self._sender = database, sender
        self._worker, self._host = worker, host
        self._device, self._concurrency = device, concurrency
        self._every, self._attempt_limit = every_seconds, attempt_limit
        self._stopping = threading.Event()

    def run(self) -> None:
        """Do the upkeep again and again; a database or broker that is away is waited for."""
        while True:
            try:
                self.once()
            except AWAY as error:
                log.warning("upkeep: %s; trying again in %g s", error, self._every)
            if self._stopping.wait(self._every):
                return

    def once(self) -> None:
        """One round."""
        with self._database.begin() as session:
            upkeep.worker_seen(session, self._worker, self._host, self._device, self._concurrency)
        added = refresh_findings(self._database, attempt_limit=self._attempt_limit)
        if added:
            with self._database.begin() as session:
                upkeep.send(session, self._sender, added)
        with self._database.begin() as session:
            if not upkeep.try_upkeep_lock(session):
                return
            upkeep.forget_silent_workers(session)
            while (run_id := self._free_one()) is not None:
                log.warning("run %s: its worker was not heard of any more", run_id)
            waiting = self._sender.waiting()
            lost = upkeep.runs_to_send(session, in_broker=waiting)
            upkeep.send(session, self._sender, lost)

    def stop(self) -> None:
        """End the thread and say that the worker is gone."""
        self._stopping.set()
        if self.is_alive():
            self.join()
        try:
            with self._database.begin() as session:
                upkeep.worker_gone(session, self._worker)
        except DBAPIError as error:
            log.warning("could not sign off: %s", error)

    def _free_one(self) -> int | None:
        with self._database.begin() as session:  # its own transaction: one run, one experiment
            return upkeep.free_expired_lease(session)

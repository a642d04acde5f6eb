"""The thread by which a worker is known to be there. It does nothing else, so nothing delays it."""

from __future__ import annotations

import logging
import threading

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from rgstore.database import Database
from rgstore.workers import WORKER_SILENT_AFTER, worker_gone, worker_seen
from rgworker.hearing import Hearing

log = logging.getLogger(__name__)

AWAY = (DBAPIError, PoolTimeoutError)
"""A database that does not answer."""


class Presence(threading.Thread):
    """Says that the worker is alive and whether it hears.

    Args:
        database: the lab's.
        hearing: knows when a message came last.
        worker: its name.
        host: where it runs.
        device: kind of device that it trains on.
        concurrency: its trainers.
        every_seconds: between words.
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
    ) -> None:
        """Start with `start()`, end with `stop()`."""
        super().__init__(name="presence", daemon=True)
        self._database, self._hearing = database, hearing
        self._worker, self._host = worker, host
        self._device, self._concurrency = device, concurrency
        self._every = every_seconds
        self._stopping = False
        self._next = threading.Event()
        self._deaf = False
        hearing.at_first(self._next.set)  # it is said at once

    def run(self) -> None:
        """Say it again and again; a database that is away is waited for."""
        while not self._stopping:
            try:
                self.once()
            except AWAY as error:
                log.warning("presence: %s; trying again in %g s", error, self._every)
            except Exception:  # without it the worker would seem to be gone
                log.exception("presence failed; trying again in %g s", self._every)
            self._next.wait(self._every)
            self._next.clear()

    def once(self) -> None:
        """One word."""
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
        deaf = silence > WORKER_SILENT_AFTER
        if deaf and not self._deaf:
            log.warning(
                "no message has come for %.0f s; runs are found by looking meanwhile",
                silence.total_seconds(),
            )
        elif self._deaf and not deaf:
            log.info("messages come again")
        self._deaf = deaf

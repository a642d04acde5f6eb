"""The thread that sends messages, so that nobody waits for the broker."""

from __future__ import annotations

import logging
import queue
import threading

from rgstore.database import Database
from rgstore.lab import lab_id
from rgstore.messages import CelerySender, Sender
from rgstore.outbox import Announcement

log = logging.getLogger(__name__)

MOST_WAITING = 1000
"""Announcements; more are dropped."""
CLOSE_SECONDS = 5.0


class Publisher:
    """Sends what it is given, in order, in a thread that holds no database connection.

    Workers look at the line by themselves, so what cannot be sent at once is dropped.
    """

    def __init__(self, sender: Sender, *, most_waiting: int = MOST_WAITING) -> None:
        """Start with the first announcement, end with `close()`."""
        self._sender = sender
        self._waiting: queue.Queue[Announcement | None] = queue.Queue(most_waiting)
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        self._starting = threading.Lock()
        self._away = False

    def announce(self, announcement: Announcement) -> None:
        """Have this sent. Never waits."""
        with self._starting:
            if self._thread.ident is None:
                self._thread.start()
        try:
            self._waiting.put_nowait(announcement)
        except queue.Full:
            log.debug("dropped: %s announcements are waiting", self._waiting.maxsize)

    def close(self) -> None:
        """Send what is waiting and end, within seconds."""
        if self._thread.is_alive():
            try:
                self._waiting.put(None, timeout=CLOSE_SECONDS)
            except queue.Full:
                return
            self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        while (announcement := self._waiting.get()) is not None:
            try:
                self._sender.publish(announcement)
            except Exception as error:  # whatever it is: the thread lives, and workers look
                if not self._away:
                    log.warning("no messages are sent: %s; workers look by themselves", error)
                self._away = True
                if self._drop_waiting():
                    return
            else:
                self._away = False

    def _drop_waiting(self) -> bool:
        """Forget what waits: it would be late. Whether the end was among it."""
        while True:
            try:
                if self._waiting.get_nowait() is None:
                    return True
            except queue.Empty:
                return False


def publishing(database: Database, broker_url: str) -> Publisher:
    """A publisher of all that is committed to a database."""
    publisher = Publisher(CelerySender(broker_url, lambda: lab_id(database)))
    database.announce_to(publisher.announce)
    return publisher

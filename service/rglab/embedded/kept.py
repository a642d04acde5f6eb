"""A server that is started again when it has ended, but not for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from rglab.embedded.children import tail

RESTARTS_MAX = 5
WITHIN_SECONDS = 60.0
Say = Callable[[str], None]


class ServerError(RuntimeError):
    """An embedded server did not start, or ends again and again; the message says why."""


class Server(Protocol):
    """An embedded server. `start` takes over one that is left running, and waits for it."""

    name: str
    log: Path

    def start(self) -> None:
        """Start it and wait until it answers; raises `ServerError`."""

    def stop(self) -> None:
        """Stop it and wait until it has stopped."""

    @property
    def running(self) -> bool:
        """Whether its process is there."""


class Kept:
    """Watches over a server that has been started; may be used by several threads."""

    def __init__(self, server: Server, say: Say) -> None:
        self._server, self._say = server, say
        self._lock = threading.Lock()
        self._ends: list[float] = []
        self._stopped = False

    def check(self) -> None:
        """Start the server again if it has ended.

        Raises:
            ServerError: it has ended too often; with the end of its log.
        """
        with self._lock:
            if self._stopped or self._server.running:
                return
            now = time.monotonic()
            ends = self._ends = [at for at in self._ends if now - at < WITHIN_SECONDS]
            if ends and now - ends[-1] < 0.5 * 2 ** len(ends):  # 1, 2, 4, ... s between tries
                return
            name, log = self._server.name, self._server.log
            ends.append(now)
            if len(ends) > RESTARTS_MAX:
                raise ServerError(
                    f"{name} ended {len(ends)} times within {WITHIN_SECONDS:.0f} s; "
                    f"the end of {log}:\n{tail(log)}"
                )
            self._say(f"{name} has ended: starting it again (its log is {log})")
            try:
                self._server.start()
            except ServerError as error:
                self._say(str(error).partition("\n")[0])
            else:
                self._say(f"{name} is up again")

    def stop(self) -> None:
        """Stop the server for good."""
        with self._lock:
            self._stopped = True
            self._server.stop()

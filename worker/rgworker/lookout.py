"""The thread of a worker that looks whether runs wait for it, and calls its hands."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from rgworker.hands import PAUSE_SECONDS, Hands
from rgworker.presence import AWAY

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""Between looks while nobody says that there is work: all that a lost message costs."""


class Lookout(threading.Thread):
    """Looks when it is told to, and every half second while a hand is idle.

    Messages of the broker only say when: whoever comes by one, runs are found and claimed in the
    same way. So a worker that hears nothing misses nothing.

    Args:
        hands: are called.
        waiting: how many runs wait for this worker, counted up to so many.
        told: set by whoever knows that there may be work.
        stopping: set when the worker is to stop.
        pause_seconds: after something went wrong that is not the database's being away.
    """

    def __init__(
        self,
        hands: Hands,
        waiting: Callable[[int], int],
        told: threading.Event,
        stopping: threading.Event,
        *,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        super().__init__(name="lookout", daemon=True)
        self._hands, self._waiting = hands, waiting
        self._told, self._stopping = told, stopping
        self._pause = pause_seconds
        self._away = False

    def run(self) -> None:
        """Until the worker is to stop."""
        while not self._stopping.is_set():
            self._told.wait(LOOK_SECONDS)
            self._told.clear()
            try:
                self._look()
            except AWAY as error:
                if not self._away:
                    log.warning("the database does not answer: %s; looking again and again", error)
                self._away = True
                self._stopping.wait(LOOK_SECONDS)
            except Exception:  # without it the worker would do nothing, and seem alive
                log.exception("looking failed; looking again in %g s", self._pause)
                self._stopping.wait(self._pause)
            else:
                self._away = False

    def _look(self) -> None:
        idle, looking = self._hands.counts()
        if idle:
            self._hands.call(self._waiting(idle + looking))

"""The threads of a worker: each sees one fleet through after another, when it is called."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import Protocol

from rgcontract import State

log = logging.getLogger(__name__)

PAUSE_SECONDS = 5.0
"""After something that another try does not mend at once, such as a trainer that did not start."""


WORK, END = "work", "end"


class MeasureNext(Protocol):
    """Claims the first fleet in line and sees it through, as `Supervisor.measure_next` does."""

    def __call__(self, claimed: Callable[[], None]) -> list[State]:
        """Calls `claimed` when what it takes is taken."""


class Hands:
    """So many threads, each idle, looking (called, but it has claimed nothing yet) or at work.

    Args:
        count: of threads.
        measure_next: what each does.
        stopping: set when the worker is to stop.
        on_free: called when one is free again after work.
        warm: says how many trainers are ready and lent to nobody.
        pause_seconds: after something went wrong.
    """

    def __init__(
        self,
        count: int,
        measure_next: MeasureNext,
        stopping: threading.Event,
        *,
        on_free: Callable[[], None],
        warm: Callable[[], int],
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self._measure_next, self._stopping, self._on_free = measure_next, stopping, on_free
        self._warm = warm
        self._pause = pause_seconds
        self._calls: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._idle, self._looking = count, 0
        self._threads = [
            threading.Thread(target=self._wait, name=f"hand-{n}", daemon=True) for n in range(count)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def counts(self) -> tuple[int, int]:
        """(idle, looking)."""
        with self._lock:
            return self._idle, self._looking

    def call(self, waiting: int) -> None:
        """So many runs wait: call as many hands as there is work that none looks for already.

        A hand that looks may be starting a trainer, which takes seconds. No run waits for that
        while a trainer is ready: another hand is called to it.
        """
        with self._lock:
            called = min(max(waiting - self._looking, min(waiting, self._warm())), self._idle)
            self._idle -= called
            self._looking += called
        for _ in range(called):
            self._calls.put(WORK)

    def join(self) -> None:
        """Wait until all have ended. Set `stopping` before."""
        for _ in self._threads:
            self._calls.put(END)
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def _wait(self) -> None:
        while self._calls.get() == WORK:
            self._work()

    def _work(self) -> None:
        looking = [True]

        def claimed() -> None:
            if looking:
                looking.clear()
                with self._lock:
                    self._looking -= 1

        measured: list[State] = []
        try:
            measured = self._measure_next(claimed)
        except Exception:  # the hand stays: a database or a trainer that is away comes back
            log.exception("nothing was measured; trying again in %g s", self._pause)
            self._stopping.wait(self._pause)
        finally:
            claimed()
            with self._lock:
                self._idle += 1
        if measured:
            log.info("measured: %s", ", ".join(measured))
            self._on_free()

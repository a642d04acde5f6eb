"""Progress of many members, told now and then: what it costs does not grow with the fleet."""

from __future__ import annotations

import time
from collections.abc import Callable

from rgstore.heartbeats import TrainingProgress
from rgworker.protocol import Advanced, Event

REPORT_SECONDS = 0.2


class Reporter:
    """Collects the latest of each member and tells all of it at most so often."""

    def __init__(
        self, tell: Callable[[Event], None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tell, self._clock = tell, clock
        self._latest: dict[int, TrainingProgress] = {}
        self._told = -REPORT_SECONDS + clock()

    def of(self, member: int) -> Callable[[TrainingProgress], None]:
        """What takes the progress of a member."""

        def report(progress: TrainingProgress) -> None:
            self._latest[member] = progress
            now = self._clock()
            if now - self._told >= REPORT_SECONDS:
                self._told = now
                self._tell(Advanced(self._latest))
                self._latest = {}

        return report

    def drop(self, member: int) -> None:
        """It has ended: nothing comes after its last word."""
        self._latest.pop(member, None)

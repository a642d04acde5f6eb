"""Whether a worker hears: measured by the messages that reach it, not by connections."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta


class Hearing:
    """When a message reached the worker last.

    Each round of its upkeep sends it one, so a worker that hears is never long without.
    """

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        """Start to count.

        Args:
            seconds: a clock that never goes back.
        """
        self._seconds = seconds
        self._begun = seconds()
        self._heard: float | None = None
        self._on_first: Callable[[], None] = lambda: None

    def at_first(self, call: Callable[[], None]) -> None:
        """Have this called when the first message comes."""
        self._on_first = call

    def heard(self) -> None:
        """A message has come."""
        first, self._heard = self._heard is None, self._seconds()
        if first:
            self._on_first()

    @property
    def before(self) -> timedelta | None:
        """How long ago the last message came; None if none ever did."""
        return None if self._heard is None else self._since(self._heard)

    @property
    def silence(self) -> timedelta:
        """The same, counted from the beginning if none ever came."""
        return self._since(self._begun if self._heard is None else self._heard)

    def _since(self, then: float) -> timedelta:
        return timedelta(seconds=self._seconds() - then)

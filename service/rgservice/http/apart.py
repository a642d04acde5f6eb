"""What takes long to read is read in a thread, one body at a time: nobody else waits for it.

Threads share the interpreter. One that computes beside the event loop costs a short request some
milliseconds; forty of them would cost it seconds. One that never pauses costs it as much as it
computes: while others wait to be read, there is a rest after each.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from rgcontract import FieldProblem
from rgcontract.problem import WHOLE
from rgservice.http.errors import OverLimit
from rgservice.http.places import Places

T = TypeVar("T")
MOST_WAITING = 64
"""Bodies that wait to be read, or are."""
MOST_OF_ONE = 8
"""Of one person."""
REST = 2.0
"""After a body, while others wait: so many times as long as it took."""


class Apart:
    """Where an application reads what takes long."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._thread = CapacityLimiter(1)
        self._places = Places(
            MOST_WAITING,
            MOST_OF_ONE,
            "as many large requests are being read as may be; nothing was stored: send it again in "
            "a moment",
        )

    async def read(self, who: str, read: Callable[[], T]) -> T:
        """The result of `read`, when it is its turn.

        Args:
            who: sent it.
            read: what takes long; it uses no database.

        Raises:
            Busy: too much is waiting already.
        """
        self._places.take(who)
        try:
            async with self._turn:
                return await self._read(read)
        finally:
            self._places.leave(who)

    async def _read(self, read: Callable[[], T]) -> T:
        begun = time.monotonic()
        try:
            return await to_thread.run_sync(read, limiter=self._thread)
        finally:
            if self._places.taken > 1:
                await asyncio.sleep(REST * (time.monotonic() - begun))


@dataclass(frozen=True)
class Deadline:
    """When reading has to be done."""

    seconds: float
    _begun: float = field(default_factory=time.monotonic, repr=False)

    def check(self) -> None:
        """Go on, while there is time.

        Raises:
            OverLimit: there is none left.
        """
        if time.monotonic() - self._begun > self.seconds:
            slow = FieldProblem(
                field=WHOLE,
                message="takes too long to check; send less at once",
                allowed=f"at most {self.seconds:g} seconds (RGLAB_MAX_READING_SECONDS)",
            )
            raise OverLimit.of([slow])

"""Of each token some requests are at work at a time, and the others wait: nobody crowds others out.

A request that waits costs nothing: nobody has looked at its token, and its body is not read.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rgservice.http.body import SHORT_BYTES
from rgservice.http.errors import Busy
from rgservice.http.probes import is_probe
from rgservice.http.rendering import refusal

MOST_AT_WORK = 4
"""Of one token and kind."""
MOST_WAITING = 1_000
"""Of one token and kind."""
WAIT_SECONDS = 30.0
"""For a turn, at most: those before it may be bodies that never come."""

Lane = tuple[str, bool]
"""A token, and whether its bodies are long: nobody's reading waits for their own uploads."""


@dataclass
class _Queue:
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST_AT_WORK))
    there: int = 0
    """Requests that are at work or wait."""


class Turns:
    """Has requests of one token wait for each other. Who sends no token is one of them.

    A turn ends when the answer begins: how slowly it is taken is nobody else's matter.
    """

    def __init__(self, app: ASGIApp, *, wait_seconds: float = WAIT_SECONDS) -> None:
        self._app, self._wait = app, wait_seconds
        self._queues: defaultdict[Lane, _Queue] = defaultdict(_Queue)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on when it is its turn."""
        if scope["type"] != "http" or is_probe(scope):
            await self._app(scope, receive, send)
            return
        lane = _lane(Headers(scope=scope))
        queue = self._queues[lane]
        queue.there += 1
        try:
            if await self._may(queue):
                await self._in_turn(queue.turns, scope, receive, send)
            else:
                await refusal(_busy())(scope, receive, send)
        finally:
            queue.there -= 1
            if not queue.there:
                del self._queues[lane]

    async def _may(self, queue: _Queue) -> bool:
        """Wait for a turn. Whether it came."""
        if queue.there > MOST_AT_WORK + MOST_WAITING:
            return False
        try:
            async with asyncio.timeout(self._wait):
                return await queue.turns.acquire()
        except TimeoutError:
            return False

    async def _in_turn(
        self, turns: asyncio.Semaphore, scope: Scope, receive: Receive, send: Send
    ) -> None:
        at_work = True

        def end() -> None:
            nonlocal at_work
            if at_work:
                at_work = False
                turns.release()

        async def begun(message: Message) -> None:
            if message["type"] == "http.response.start":
                end()
            await send(message)

        try:
            await self._app(scope, receive, begun)
        finally:
            end()


def _lane(headers: Headers) -> Lane:
    length = headers.get("content-length", "0")
    is_short = length.isdecimal() and int(length[:20]) <= SHORT_BYTES
    return headers.get("authorization", ""), "transfer-encoding" in headers or not is_short


def _busy() -> Busy:
    return Busy(
        "too many requests with this token are at work, or too slow ones; nothing was stored: send "
        "it again in a moment"
    )

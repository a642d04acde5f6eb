"""Large answers: made a few at a time into a file, and sent from there as fast as they are taken.

Who reads slowly keeps no connection to the database from others, and no answer in memory. What is
wrong with what is stored is found before the first byte is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import IO

from anyio import CapacityLimiter, to_thread
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rgservice.http.errors import Busy
from rgservice.http.places import Places

AT_ONCE = 2
"""Answers that are made: each takes a connection to the database, and they share an interpreter."""
MOST_KEPT = 64
"""Answers that wait to be made, or are, or are being taken."""
MOST_OF_ONE = 32
"""Of one person."""
CHUNK = 2**18
"""Bytes that are sent at a time."""


class Kept:
    """The large answers of an application that are not taken yet."""

    def __init__(self) -> None:
        self._limit = CapacityLimiter(AT_ONCE)
        self._places = Places(
            MOST_KEPT,
            MOST_OF_ONE,
            "as many large answers are on their way as may be: take them, or ask again in a moment",
        )

    async def response(self, who: str, write: Callable[[IO[bytes]], None]) -> Response:
        """An answer of JSON that is written to a file, when it is its turn.

        Args:
            who: asked for it.
            write: makes it.

        Raises:
            Busy: too many are kept already, or there is no room for it.
        """
        self._places.take(who)
        try:
            file = await to_thread.run_sync(_written, write, limiter=self._limit)
        except BaseException:
            self._places.leave(who)
            raise
        return _FromFile(file, lambda: self._places.leave(who))


class _FromFile(Response):
    """A file as an answer; it is gone once that is sent, or nobody takes it any more."""

    media_type = "application/json"

    def __init__(self, file: IO[bytes], done: Callable[[], None]) -> None:
        self._file, self._done = file, done
        super().__init__(headers={"Content-Length": str(file.seek(0, 2))})

    async def __call__(self, _: Scope, __: Receive, send: Send) -> None:
        """Send it."""
        try:
            start = {"status": self.status_code, "headers": self.raw_headers}
            await send({"type": "http.response.start", **start})
            await to_thread.run_sync(self._file.seek, 0)
            while part := await to_thread.run_sync(self._file.read, CHUNK):
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            self._file.close()
            self._done()


def _written(write: Callable[[IO[bytes]], None]) -> IO[bytes]:
    with ExitStack() as unless_written:
        try:
            file = unless_written.enter_context(TemporaryFile(buffering=CHUNK))
            write(file)
            file.flush()
        except OSError as error:
            raise Busy("there is no room for so large an answer; ask for a part of it") from error
        unless_written.pop_all()
    return file


def write_all(file: IO[bytes], pieces: Iterable[bytes]) -> None:
    """Write pieces one after another."""
    for piece in pieces:
        file.write(piece)

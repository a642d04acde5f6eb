"""Large answers wait in files for who takes them: so many, and not for ever."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, Any

import anyio
import pytest

from rgservice.http import kept
from rgservice.http.errors import Busy
from rgservice.http.kept import CHUNK, MOST_KEPT, MOST_OF_ONE, Kept

TEXT = b"0123456789" * (CHUNK // 4)


class Taker:
    """Takes an answer."""

    def __init__(self, most: int = 2**30) -> None:
        self.parts: list[bytes] = []
        self._most = most

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.body":
            self.parts.append(message.get("body", b""))
        if len(self.parts) > self._most:
            raise OSError("gone")

    async def receive(self) -> Any:
        raise AssertionError("nothing is read of it")


def _writes(files: list[IO[bytes]], text: bytes = TEXT) -> Callable[[IO[bytes]], None]:
    def write(file: IO[bytes]) -> None:
        files.append(file)
        file.write(text)

    return write


def test_an_answer_is_sent_in_parts_and_is_gone_then() -> None:
    files: list[IO[bytes]] = []

    async def main() -> Taker:
        response = await Kept().response("alice", _writes(files))
        assert int(response.headers["Content-Length"]) == len(TEXT)
        taker = Taker()
        await response({"type": "http"}, taker.receive, taker)
        return taker

    taker = anyio.run(main)
    assert b"".join(taker.parts) == TEXT
    assert max(map(len, taker.parts)) <= CHUNK
    assert files[0].closed


def test_who_leaves_makes_room() -> None:
    files: list[IO[bytes]] = []

    async def main() -> None:
        answers = Kept()
        for _ in range(2 * MOST_OF_ONE):
            response = await answers.response("alice", _writes(files))
            taker = Taker(most=1)
            with pytest.raises(OSError, match="gone"):
                await response({"type": "http"}, taker.receive, taker)

    anyio.run(main)
    assert all(file.closed for file in files)


def test_what_cannot_be_made_leaves_nothing_behind() -> None:
    files: list[IO[bytes]] = []

    def write(file: IO[bytes]) -> None:
        files.append(file)
        raise ValueError("damaged")

    async def main() -> None:
        answers = Kept()
        for _ in range(MOST_OF_ONE + 1):
            with pytest.raises(ValueError, match="damaged"):
                await answers.response("alice", write)

    anyio.run(main)
    assert all(file.closed for file in files)


def test_a_full_disk_is_said_to_be_one() -> None:
    def write(_: IO[bytes]) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(Busy, match="no room for so large an answer"):
        anyio.run(Kept().response, "alice", write)


def test_nobody_has_more_than_so_many_and_all_together_no_more_than_that() -> None:
    files: list[IO[bytes]] = []

    async def main() -> None:
        answers = Kept()
        for who in ("alice", "bob"):
            for _ in range(MOST_OF_ONE):
                await answers.response(who, _writes(files, b""))
            if who == "alice":
                with pytest.raises(Busy, match="of yours, as many large answers"):
                    await answers.response("alice", _writes(files, b""))
        with pytest.raises(Busy, match="of the lab's, as many large answers"):
            await answers.response("carol", _writes(files, b""))

    anyio.run(main)
    assert len(files) == MOST_KEPT
    for file in files:
        file.close()


def test_few_are_made_at_once() -> None:
    """Each takes a connection to the database."""
    now, most = [0], [0]

    async def main() -> None:
        answers = Kept()
        both = anyio.Event()

        def write(_: IO[bytes]) -> None:
            now[0] += 1
            most[0] = max(most[0], now[0])
            if now[0] == kept.AT_ONCE:
                anyio.from_thread.run_sync(both.set)
            anyio.from_thread.run(both.wait)
            now[0] -= 1

        async def ask() -> None:
            response = await answers.response("alice", write)
            taker = Taker()
            await response({"type": "http"}, taker.receive, taker)

        async with anyio.create_task_group() as tasks:
            for _ in range(6):
                tasks.start_soon(ask)

    anyio.run(main)
    assert most == [kept.AT_ONCE]

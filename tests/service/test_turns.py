"""Requests of one token wait for each other, and for nobody else's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from rgservice.http.turns import MOST_AT_WORK, MOST_WAITING, Turns


class Asked:
    """Requests to an application that answers when it is told to."""

    def __init__(self, **options: float) -> None:
        self.at_work: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.answer, self.taken = anyio.Event(), anyio.Event()
        self._app = Turns(self._waits, **options)

    async def _waits(self, scope: Any, receive: Any, send: Any) -> None:
        name = scope["path"]
        self.at_work[name] += 1
        await self.answer.wait()
        self.at_work[name] -= 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await self.taken.wait()
        await send({"type": "http.response.body", "body": b""})

    async def ask(self, name: str, token: str = "ann", path: str = "", **headers: str) -> None:
        """One request; `name` is counted while it is at work."""
        given = {"authorization": f"Bearer {token}", **headers}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.statuses[message["status"]] += 1

        async def receive() -> Any:
            await anyio.sleep_forever()

        scope = {
            "type": "http",
            "path": path or name,
            "headers": [
                (key.replace("_", "-").encode(), value.encode()) for key, value in given.items()
            ],
        }
        await self._app(scope, receive, send)


def run(scenario: Callable[[Asked, Any], Any], **options: float) -> Asked:
    async def main() -> Asked:
        asked = Asked(**options)
        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                await scenario(asked, group)
                asked.answer.set()
                asked.taken.set()
        return asked

    return anyio.run(main)


def test_of_one_token_some_are_at_work_and_the_others_wait_for_them() -> None:
    async def many(asked: Asked, group: Any) -> None:
        for _ in range(5 * MOST_AT_WORK):
            group.start_soon(asked.ask, "ann's")
        group.start_soon(asked.ask, "bob's", "bob")
        await anyio.wait_all_tasks_blocked()
        assert asked.at_work == {"ann's": MOST_AT_WORK, "bob's": 1}

    assert run(many).statuses == {200: 5 * MOST_AT_WORK + 1}


@pytest.mark.parametrize("long", [{"content_length": "5000"}, {"transfer_encoding": "chunked"}])
def test_nobody_s_reading_waits_for_their_own_uploads(long: dict[str, str]) -> None:
    async def both(asked: Asked, group: Any) -> None:
        for _ in range(2 * MOST_AT_WORK):
            group.start_soon(lambda: asked.ask("sends", **long))
        group.start_soon(asked.ask, "reads")
        group.start_soon(lambda: asked.ask("short", content_length="100"))
        await anyio.wait_all_tasks_blocked()
        assert asked.at_work == {"sends": MOST_AT_WORK, "reads": 1, "short": 1}

    run(both)


def test_who_takes_an_answer_slowly_holds_up_nobody() -> None:
    async def slow(asked: Asked, group: Any) -> None:
        asked.answer.set()
        for _ in range(5 * MOST_AT_WORK):
            group.start_soon(asked.ask, "slow")
        await anyio.wait_all_tasks_blocked()
        assert asked.statuses == {200: 5 * MOST_AT_WORK}

    run(slow)


def test_a_probe_waits_for_nobody() -> None:
    async def probed(asked: Asked, group: Any) -> None:
        for _ in range(2 * MOST_AT_WORK):
            group.start_soon(asked.ask, "/readyz")
        await anyio.wait_all_tasks_blocked()
        assert asked.at_work == {"/readyz": 2 * MOST_AT_WORK}

    run(probed)


def test_of_more_than_may_wait_each_is_refused_at_once() -> None:
    async def too_many(asked: Asked, group: Any) -> None:
        for _ in range(MOST_AT_WORK + MOST_WAITING + 3):
            group.start_soon(asked.ask, "ann's")
        await anyio.wait_all_tasks_blocked()
        assert asked.statuses == {503: 3}
        group.start_soon(asked.ask, "bob's", "bob")

    assert run(too_many).statuses == {503: 3, 200: MOST_AT_WORK + MOST_WAITING + 1}


def test_who_waits_too_long_is_refused_and_leaves_their_place() -> None:
    async def stalled(asked: Asked, group: Any) -> None:
        for _ in range(2 * MOST_AT_WORK):
            group.start_soon(asked.ask, "ann's")
        while asked.statuses[503] < MOST_AT_WORK:
            await anyio.sleep(0)
        asked.answer.set()

    assert run(stalled, wait_seconds=0.02).statuses == {503: MOST_AT_WORK, 200: MOST_AT_WORK}

"""A body that arrives slowly, or never, is the matter of its sender alone."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from itertools import count
from typing import Any

import anyio
import httpx
import pytest
from fastapi import FastAPI

from rgservice.app import create_app
from rgstore.database import Database
from rgstore.settings import Settings
from rgstore.tokens import make_token

MORE_THAN_CONNECTIONS = 25


@pytest.fixture
def app(settings: Settings, announcer: Any) -> Iterator[FastAPI]:
    """The application, without a client of one's own: these decide when a body arrives."""
    made = create_app(settings, announcer)
    yield made
    made.state.parts.database.dispose()


@pytest.fixture
def headers(token: str) -> dict[str, str]:
    """What a submission comes with."""
    return {
        "Host": "testserver",
        "Content-Type": "application/json",
        "Authorization": f"Bearer {token}",
    }


def test_others_are_answered_while_many_bodies_arrive_slowly(
    app: FastAPI, headers: dict[str, str], database: Database
) -> None:
    with database.begin() as session:
        tokens = [make_token(session, f"user{number}") for number in range(MORE_THAN_CONNECTIONS)]

    async def main() -> tuple[int, set[int]]:
        release, all_being_read = anyio.Event(), anyio.Event()
        reading = count(1)
        codes: set[int] = set()

        async def slow_body() -> AsyncIterator[bytes]:
            yield b"{"
            if next(reading) == MORE_THAN_CONNECTIONS:
                all_being_read.set()
            await release.wait()
            yield b"}"

        async def submit(client: Any, token: str) -> None:
            by = {"Authorization": f"Bearer {token}"}
            answer = await client.post("/v1/experiments", content=slow_body(), headers=by)
            codes.add(answer.status_code)

        reach = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://testserver", headers=headers
        )
        async with reach as client, anyio.create_task_group() as group:
            for token in tokens:
                group.start_soon(submit, client, token)
            await all_being_read.wait()
            with anyio.fail_after(5):  # a pool that is empty would take 10
                answer = await client.get("/v1/experiments")
            release.set()
        return answer.status_code, codes

    code, codes = anyio.run(main)
    assert code == 200
    assert codes <= {200, 201}


def test_a_sender_who_hangs_up_leaves_no_traceback(
    app: FastAPI, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    messages = iter([{"type": "http.request", "body": b"{", "more_body": True}])

    async def receive() -> Any:
        return next(messages, {"type": "http.disconnect"})

    async def send(_: Any) -> None:
        pass

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/v1/experiments",
        "raw_path": b"/v1/experiments",
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    with caplog.at_level(logging.WARNING):
        anyio.run(app, scope, receive, send)
    assert caplog.records == []

"""What is acknowledged is stored: the answer begins after the commit, never before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anyio
import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from rgservice.app import create_app
from rgstore.database import Database
from rgstore.settings import Settings
from rgstore.tables import RunRow, StudyRow

SPEC = {"chain": {"corr_len": 3.0}, "seeds": 2}
STUDY = {"chain": {"corr_len": [1.0, 3.0]}, "seeds": 1}


@pytest.fixture
def headers(token: str) -> dict[str, str]:
    return {"Host": "testserver", "Authorization": f"Bearer {token}"}


@pytest.fixture
def app(settings: Settings, announcer: Any) -> Iterator[FastAPI]:
    made = create_app(settings, announcer)
    yield made
    made.state.parts.database.dispose()


class Watched:
    """The application, which looks into the database the moment that an answer begins."""

    def __init__(self, app: Any, look: Any) -> None:
        self.app, self.look = app, look
        self.seen: list[int] = []

    async def __call__(self: Any, scope: Any, receive: Any, send: Any) -> None:
        async def watched(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.seen.append(await anyio.to_thread.run_sync(self.look))
            await send(message)

        await self.app(scope, receive, watched)


@pytest.mark.parametrize(
    ("path", "body", "row", "stored"),
    [
        ("/v1/experiments", SPEC, RunRow, 2),
        ("/v1/experiments/bulk", {"experiments": [SPEC]}, RunRow, 2),
        ("/v1/studies", STUDY, StudyRow, 1),
    ],
)
def test_what_is_answered_is_stored_already(
    app: FastAPI,
    headers: dict[str, str],
    database: Database,
    path: str,
    body: Any,
    row: Any,
    stored: int,
) -> None:
    def look() -> int:
        with database.begin() as session:  # another connection than the request's
            return session.scalars(select(func.count()).select_from(row)).one()

    watched = Watched(app, look)

    async def main() -> int:
        transport = httpx.ASGITransport(watched)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://testserver", headers=headers
        ) as client:
            return (await client.post(path, json=body)).status_code

    assert anyio.run(main) == 201
    assert watched.seen == [stored]

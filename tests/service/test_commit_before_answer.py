"""The answer begins after its transaction: what it says is stored, and no connection is held."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anyio
import httpx
import pytest
from fastapi import FastAPI
from measured_study import measure
from sqlalchemy import func, select

from rgcontract import State
from rgservice.app import create_app
from rgstore.database import Database
from rgstore.settings import Settings
from rgstore.tables import RunRow, StudyRow
from rgworker.findings import refresh_findings

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

    def request(
        self, method: str, path: str, headers: dict[str, str], body: Any = None
    ) -> httpx.Response:
        async def main() -> httpx.Response:
            transport = httpx.ASGITransport(self)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://testserver", headers=headers
            ) as client:
                return await client.request(method, path, json=body)

        return anyio.run(main)


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
    assert watched.request("POST", path, headers, body).status_code == 201
    assert watched.seen == [stored]


@pytest.mark.parametrize(
    ("of", "body"), [("/v1/experiments", SPEC), ("/v1/studies", STUDY)], ids=["one", "study"]
)
def test_what_is_withdrawn_or_wanted_again_is_stored_before_its_answer(
    app: FastAPI, headers: dict[str, str], database: Database, of: str, body: Any
) -> None:
    def look() -> int:
        waits = select(func.count()).select_from(RunRow).where(RunRow.state == State.QUEUED)
        with database.begin() as session:
            return session.scalars(waits).one()

    watched = Watched(app, look)
    name = watched.request("POST", of, headers, body).json()["id"]
    for step in ("cancel", "retry"):
        assert watched.request("POST", f"{of}/{name}/{step}", headers).status_code == 200
    assert watched.seen == [2, 0, 2]


@pytest.mark.parametrize(
    "path",
    [
        "/", "/metrics", "/v1/experiments", "/v1/experiments/NAME",
        "/v1/studies", "/v1/studies/NAME", "/v1/studies/NAME/findings",
    ],
)  # fmt: skip
def test_an_answer_that_is_being_sent_holds_no_connection(
    app: FastAPI, headers: dict[str, str], database: Database, path: str
) -> None:
    """Else as many as there are connections, who take their answers slowly, would stop all."""
    watched = Watched(app, app.state.parts.database.engine.pool.checkedout)
    of, body = ("studies", STUDY) if "studies" in path else ("experiments", SPEC)
    name = watched.request("POST", f"/v1/{of}", headers, body).json()["id"]
    measure(database)
    refresh_findings(database, attempt_limit=3)
    assert watched.request("GET", path.replace("NAME", name), headers).status_code == 200
    assert watched.seen == [0, 0]

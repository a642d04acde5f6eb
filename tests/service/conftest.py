"""The API in process, on a fresh database, where who is told of runs only remembers them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from people import Lab

from rgservice.app import create_app
from rgservice.http.deps import Parts
from rgstore.database import Database
from rgstore.settings import Settings
from rgstore.tokens import make_token


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--record-refusals`: see `test_refusals.py`."""
    parser.addoption(
        "--record-refusals",
        action="store_true",
        help="record what is answered to requests that golden/refusals.json does not have",
    )


class RecordingAnnouncer:
    """Remembers of which runs it was to tell."""

    def __init__(self) -> None:
        self.told: list[int] = []

    def __call__(self, announcement: Any) -> None:
        """Remember."""
        for run_ids in announcement.values():
            self.told += run_ids


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings on the fresh database."""
    return Settings(
        database_url=database_url,
        broker_url="redis://127.0.0.1:1",
        data_dir=tmp_path,
        max_body_bytes=100_000,
        allowed_hosts="testserver",
    )


@pytest.fixture
def announcer() -> RecordingAnnouncer:
    """One who remembers."""
    return RecordingAnnouncer()


@pytest.fixture
def token(database: Database) -> str:
    """A token of alice."""
    with database.begin() as session:
        return make_token(session, "alice")


@pytest.fixture(scope="session")
def application() -> FastAPI:
    """The API without a database: what FastAPI derives from its routes, it derives once."""
    nowhere = Settings(
        database_url="postgresql://none",
        broker_url="redis://127.0.0.1:1",
        allowed_hosts="testserver",
    )
    return create_app(nowhere, RecordingAnnouncer())


@pytest.fixture
def anonymous(
    application: FastAPI, settings: Settings, announcer: RecordingAnnouncer
) -> Iterator[TestClient]:
    """A client without a token."""
    database = Database(settings.database)
    database.announce_to(announcer)
    application.state.parts = Parts(settings, database)
    with TestClient(application, raise_server_exceptions=False) as client:
        yield client
    application.dependency_overrides.clear()  # what a test put in its place is its own
    database.dispose()


@pytest.fixture
def api(anonymous: TestClient, token: str) -> TestClient:
    """A client with alice's token."""
    anonymous.headers["Authorization"] = f"Bearer {token}"
    return anonymous


@pytest.fixture
def lab(anonymous: TestClient, database: Database) -> Lab:
    """Where several people ask."""
    return Lab(anonymous, database)


@pytest.fixture
def ada(lab: Lab) -> Any:
    """One of them."""
    return lab.person("ada")


@pytest.fixture
def bob(lab: Lab) -> Any:
    """Another one."""
    return lab.person("bob")

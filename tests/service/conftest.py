"""The API in process, on a fresh database, with a sender that only remembers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from rgservice.app import create_app
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


class RecordingSender:
    """Remembers which runs it was to send messages for."""

    def __init__(self) -> None:
        self.sent: list[int] = []

    def send(self, run_ids, device="any"):
        """Remember and say that it was sent."""
        self.sent += run_ids
        return list(run_ids)


@pytest.fixture
def settings(database_url: str, tmp_path) -> Settings:
    """Settings on the fresh database."""
    return Settings(
        database_url=database_url,
        broker_url="redis://127.0.0.1:1",
        data_dir=tmp_path,
        max_body_bytes=100_000,
        allowed_hosts="testserver",
    )


@pytest.fixture
def sender() -> RecordingSender:
    """A sender that remembers."""
    return RecordingSender()


@pytest.fixture
def token(database: Database) -> str:
    """A token of alice."""
    with database.begin() as session:
        return make_token(session, "alice")


@pytest.fixture
def anonymous(settings: Settings, sender: RecordingSender) -> Iterator[TestClient]:
    """A client without a token."""
    with TestClient(create_app(settings, sender), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def api(anonymous: TestClient, token: str) -> TestClient:
    """A client with alice's token."""
    anonymous.headers["Authorization"] = f"Bearer {token}"
    return anonymous

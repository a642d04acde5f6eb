"""The whole system in processes of its own, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lab_processes import Lab

import rgclient
from rgstore.database import Database
from rgstore.tokens import make_token


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses by marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test here starts a whole system."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def lab(scratch: Path, database_url: str) -> Iterator[Lab]:
    """A system without workers."""
    directory = scratch / database_url.partition("/test_")[2].partition("?")[0]
    started = Lab(directory, database_url)
    yield started
    started.stop()
    for child in started.children:
        print(f"== {child.log}\n{child.tail(40)}")


@pytest.fixture
def token(database: Database) -> str:
    """A token of alice."""
    with database.begin() as session:
        return make_token(session, "alice")


@pytest.fixture
def client(lab: Lab, token: str) -> Iterator[rgclient.Client]:
    """A client of the first API."""
    with rgclient.Client(lab.urls[0], token) as opened:
        yield opened

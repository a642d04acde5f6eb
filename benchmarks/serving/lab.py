"""A lab without workers: embedded Postgres and broker, the API in a process of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from migrations import upgrade
from rglab.embedded import broker
from rglab.embedded.children import Child
from rglab.embedded.lab import free_port
from rglab.embedded.postgres import EmbeddedPostgres
from rgstore.database import Database
from rgstore.settings import Settings
from rgstore.tokens import make_token

OWNER = "bench"
HOST = "127.0.0.1"
START_SECONDS = 30.0


@dataclass(frozen=True)
class Lab:
    """What runs, and how to reach it.

    Attributes:
        directory: where it lives; logs too.
        database_url: as SQLAlchemy takes it.
        broker_url: as Celery takes it.
        database: a pool on it.
        http: a client with a token.
        service: the process of the API.
    """

    directory: Path
    database_url: str
    broker_url: str
    database: Database
    http: httpx.Client
    service: Child


@contextmanager
def running(directory: Path) -> Iterator[Lab]:
    """A fresh lab in an empty directory; everything is stopped at the end."""
    with ExitStack() as stack:
        postgres = EmbeddedPostgres(directory / "pg")
        stack.callback(postgres.stop)
        database_url = Settings(database_url=postgres.url).database
        upgrade(database_url)
        database = Database(database_url)
        stack.callback(database.dispose)
        logs = directory / "logs"
        _start(stack, ["rglab.embedded.broker", str(directory / "valkey")], logs, {})
        env = {
            "RGLAB_DATABASE_URL": postgres.url,
            "RGLAB_BROKER_URL": broker.url(directory / "valkey"),
            "RGLAB_DATA_DIR": str(directory),
        }
        port = free_port(HOST)
        service = _start(stack, ["rgservice", "--host", HOST, "--port", str(port)], logs, env)
        with database.begin() as session:
            token = make_token(session, OWNER)
        http = stack.enter_context(
            httpx.Client(
                base_url=f"http://{HOST}:{port}",
                headers={"Authorization": f"Bearer {token}"},
                timeout=120,
                trust_env=False,
            )
        )
        _await(http)
        yield Lab(directory, database_url, env["RGLAB_BROKER_URL"], database, http, service)


def _start(stack: ExitStack, arguments: list[str], logs: Path, env: dict[str, str]) -> Child:
    child = Child(arguments[0], arguments, log=logs / f"{arguments[0]}.log", env=env)
    stack.callback(child.stop)
    return child


def _await(http: httpx.Client) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            if http.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)

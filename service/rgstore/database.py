"""Connections to Postgres, with the time-outs that it leaves off by default."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.pq import Format
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session, sessionmaker

from rgstore import outbox
from rgstore.outbox import Announcement
from rgstore.streaming import streams_closed

STATEMENT_TIMEOUT_MS = 30_000
LOCK_TIMEOUT_MS = 10_000
IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000


class BinaryCursor(psycopg.Cursor[Any]):
    """A cursor that reads numbers as they are: as text, arrays take several times as long."""

    def __init__(self, connection: psycopg.Connection[Any], **options: Any) -> None:
        """As any cursor."""
        super().__init__(connection, **options)
        self.format = Format.BINARY


class BinaryServerCursor(psycopg.ServerCursor[Any]):
    """The same of rows that stay with the server until they are read."""

    def __init__(self, *args: Any, **options: Any) -> None:
        """As any cursor of the server."""
        super().__init__(*args, **options)
        self.format = Format.BINARY


Announcer = Callable[[Announcement], None]
"""Tells workers of runs. It neither waits nor raises: what it is told of is stored already."""


class Database:
    """A pool of connections; `begin()` is one transaction, `snapshot()` one that only reads."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        """Connect lazily to a SQLAlchemy URL."""
        options = (
            f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={LOCK_TIMEOUT_MS} "
            f"-c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_TIMEOUT_MS}"
        )
        self.engine: Engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=True,  # survives a restart of Postgres
            pool_timeout=10,
            hide_parameters=True,  # what people sent is in no log and no message
            connect_args={
                "options": options,
                "connect_timeout": 10,
                "cursor_factory": BinaryCursor,
            },
        )
        event.listen(self.engine, "connect", _read_binary)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        one_moment = self.engine.execution_options(isolation_level="REPEATABLE READ")
        self._snapshots = sessionmaker(one_moment, expire_on_commit=False)
        self._announce: Announcer | None = None

    def announce_to(self, announcer: Announcer) -> None:
        """Have workers told from now on of the runs that are put in line here."""
        self._announce = announcer

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """One transaction: committed at the end, rolled back on an exception.

        Workers are told of the runs that it put in line when it is committed and its connection
        is free again.
        """
        with self._sessions.begin() as session, streams_closed(session):
            yield session
        announcement = outbox.taken(session)
        if announcement and self._announce is not None:
            self._announce(announcement)

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """A transaction to read in: all it reads is of one moment, whatever others store."""
        with self._snapshots.begin() as session, streams_closed(session):
            yield session

    def dispose(self) -> None:
        """Close the pool."""
        self.engine.dispose()


def _read_binary(connection: psycopg.Connection[Any], _record: object) -> None:
    connection.server_cursor_factory = BinaryServerCursor

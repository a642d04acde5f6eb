"""Waiting until a session is seen to wait for another: no test sleeps to let it come to that."""

from __future__ import annotations

from lab_processes import until
from sqlalchemy import text

from rgstore.database import Database

WAITING = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0"
)


def until_blocked(database: Database, sessions: int = 1) -> None:
    """Return once so many sessions of this database wait for locks that others hold."""
    until(lambda: _waiting(database) >= sessions)


def _waiting(database: Database) -> int:
    with database.engine.connect() as connection:  # what it saw before is another transaction's
        return connection.scalar(WAITING) or 0

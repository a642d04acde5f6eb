"""Databases that are put back to how they were: several times quicker than to make a new one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from sqlalchemy import Engine, NullPool, create_engine, make_url, text

_numbers = count()

TABLES = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
WRITTEN = """
SELECT quote_ident(relname) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0
"""
SEQUENCES = "SELECT quote_ident(sequencename), last_value FROM pg_sequences"
OTHERS = """
SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
BY_OID = ("constraint", "trigger", "proc", "attrdef", "namespace", "type")
SCHEMA = (
    "SELECT "
    + ", ".join(
        "(SELECT array_agg((oid, xmin::text) ORDER BY oid)::text"
        f" FROM pg_{catalog} WHERE oid >= 16384)"  # those below are in every database
        for catalog in BY_OID
    )
    + """
, (SELECT array_agg((relname, relkind, reloptions, relrowsecurity) ORDER BY oid)::text
   FROM pg_class WHERE relnamespace = 'public'::regnamespace)
, (SELECT array_agg((attrelid, attnum, pg_attribute.xmin::text) ORDER BY attrelid, attnum)::text
   FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
   WHERE relnamespace = 'public'::regnamespace)
, (SELECT array_agg(setconfig)::text FROM pg_db_role_setting)
"""
)
"""Which row of the catalogue was written by which transaction: no two schemas are alike in it."""


class KeptDatabase:
    """What is in a database, with the tables, indexes and triggers that it is in."""

    def __init__(self, url: str) -> None:
        """Remember all rows, bit by bit."""
        self.url = url
        self._engine = create_engine(url, poolclass=NullPool)
        with self._engine.begin() as connection:
            cursor = connection.connection.cursor()
            tables = _all(cursor, TABLES)
            self._rows = {table: rows for (table,) in tables if (rows := _dump(cursor, table))}
            self._sequences = _all(cursor, SEQUENCES)
            self._schema = _all(cursor, SCHEMA)

    def restore(self) -> bool:
        """End whoever is connected and put all rows back; False where the schema is another."""
        with self._engine.begin() as connection:
            cursor = connection.connection.cursor()
            cursor.execute(OTHERS)
            if _all(cursor, SCHEMA) != self._schema:
                return False
            written = ", ".join(name for (name,) in _all(cursor, WRITTEN))
            # no trigger fires: rows are put back in any order, and a log is emptied, too
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(f"TRUNCATE {written} CASCADE")
            for table, rows in self._rows.items():
                with cursor.copy(f"COPY {table} FROM STDIN (FORMAT binary)") as copy:
                    copy.write(rows)
            for name, value in self._sequences:
                cursor.execute("SELECT setval(%s, %s, %s)", (name, value or 1, value is not None))
        return True


class Copies:
    """Copies of a template database."""

    def __init__(self, url_of: Callable[[str], str], admin: Engine, template: str) -> None:
        self._url_of, self._admin, self._template = url_of, admin, template
        self._kept: KeptDatabase | None = None

    @contextmanager
    def new(self) -> Iterator[str]:
        """The URL of one that nobody has used, which is dropped in the end."""
        url = self._create()
        try:
            yield url
        finally:
            self._drop(url)

    @contextmanager
    def as_new(self) -> Iterator[str]:
        """The URL of one that is as it was made; the same again until its schema is changed."""
        if self._kept is None:
            self._kept = KeptDatabase(self._create())
        try:
            yield self._kept.url
        finally:
            if not self._kept.restore():
                self.drop()

    def drop(self) -> None:
        """Drop the one that is kept."""
        if self._kept is not None:
            self._drop(self._kept.url)
            self._kept = None

    def _create(self) -> str:
        name = f"test_{next(_numbers)}"
        with self._admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {self._template}"))
        return self._url_of(name)

    def _drop(self, url: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {make_url(url).database} WITH (FORCE)"))


def _all(cursor: Any, statement: str) -> list[tuple[Any, ...]]:
    return list(cursor.execute(statement).fetchall())


def _dump(cursor: Any, table: str) -> bytes | None:
    """The rows of a table in Postgres's own format; None where there are none."""
    cursor.execute(f"SELECT FROM {table} LIMIT 1")
    if cursor.fetchone() is None:
        return None
    with cursor.copy(f"COPY {table} TO STDOUT (FORMAT binary)") as copy:
        return b"".join(copy)

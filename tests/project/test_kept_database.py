"""A database that tests share is as a new one to each of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from kept_database import Copies
from sqlalchemy import NullPool, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from rgstore.database import Database
from rgstore.tokens import make_token


@pytest.fixture(scope="module")
def ours(postgres: str, admin: Any, template: str) -> Iterator[Copies]:
    copies = Copies(
        lambda name: make_url(postgres).set(database=name).render_as_string(hide_password=False),
        admin,
        template,
    )
    yield copies
    copies.drop()


def _said(url: str, statement: str) -> list[Any]:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        done = connection.execute(text(statement))
        return [tuple(row) for row in done] if done.returns_rows else []


def _rows(url: str) -> dict[str, list[Any]]:
    tables = _said(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return {table: _said(url, f"SELECT to_json({table})::text FROM {table}") for (table,) in tables}


def test_what_a_test_wrote_changed_and_deleted_is_as_before(ours: Copies) -> None:
    with ours.new() as url:
        new = _rows(url)
    with ours.as_new() as url:
        assert _rows(url) == new
        database = Database(url)
        with database.begin() as session:
            make_token(session, "alice")
        database.dispose()
        _said(url, "UPDATE alembic_version SET version_num = 'none'")
        _said(url, "DELETE FROM lab")
        assert _rows(url) != new
    with ours.as_new() as again:
        assert again == url
        assert _rows(again) == new


def test_numbers_begin_again(ours: Copies) -> None:
    draw = "SELECT nextval(pg_get_serial_sequence('runs', 'id'))"
    with ours.as_new() as url:
        assert (_said(url, draw), _said(url, draw)) == ([(1,)], [(2,)])
    with ours.as_new() as url:
        assert _said(url, draw) == [(1,)]


def test_a_connection_that_a_test_left_is_ended(ours: Copies) -> None:
    with ours.as_new() as url:
        left = create_engine(url).connect()
        left.execute(text("LOCK TABLE runs"))
    with ours.as_new() as url, pytest.raises(OperationalError):
        left.execute(text("SELECT 1"))
    left.invalidate()


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE more (id int)",
        "ALTER TABLE runs ADD COLUMN more int",
        "ALTER TABLE runs ALTER COLUMN seed DROP NOT NULL",
        "ALTER TABLE tokens RENAME TO passes",
        "ALTER TABLE runs DISABLE TRIGGER ALL",
        "ALTER TABLE studies ADD CONSTRAINT more CHECK (id <> 'x')",
        "CREATE INDEX more ON runs (seed)",
        "CREATE FUNCTION more() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE SCHEMA more",
        "CREATE TYPE more AS ENUM ('a')",
        "DROP TABLE weights",
    ],
)
def test_after_a_change_of_the_schema_the_next_is_a_new_one(ours: Copies, change: str) -> None:
    with ours.as_new() as url:
        _said(url, change)
    with ours.as_new() as other:
        assert other != url

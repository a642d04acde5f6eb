"""No column takes a moment or a number that nobody can read again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import DateTime, Table, text
from sqlalchemy.exc import IntegrityError

from rgstore.database import Database
from rgstore.plain import Float
from rgstore.tables import Base

MOMENTS = ("infinity", "-infinity", "9999-12-31 23:00:00-05", "10000-01-01", "0044-03-15 BC")
NUMBERS = ("NaN", "Infinity", "-Infinity")
TAKEN = {"0002-01-01 00:00:00+00", "2026-02-03 04:05:06+14", "9998-12-31 00:00:00+00"}
POSITIVE = {"timings"}
"""Tables of whose numbers logarithms are taken."""
TABLES = list(Base.metadata.tables.values())


@pytest.fixture
def alone(database: Database) -> Any:
    """A copy of a table with its checks, of which each column can be filled alone."""

    def _alone(table: Table) -> Any:
        statements = [f"CREATE TABLE alone (LIKE {table.name} INCLUDING CONSTRAINTS)"]
        statements += [
            f'ALTER TABLE alone ALTER "{column.name}" DROP NOT NULL' for column in table.columns
        ]
        with database.begin() as session:
            for statement in statements:
                session.execute(text(statement))

        def put(column: str, value: str) -> Any:
            with database.begin() as session:
                session.execute(text(f"INSERT INTO alone (\"{column}\") VALUES ('{value}')"))
            with database.begin() as session:
                return session.scalars(text(f'DELETE FROM alone RETURNING "{column}"')).one()

        return put

    return _alone


def _of(table: Table, kind: Any) -> Iterator[str]:
    return (column.name for column in table.columns if isinstance(column.type, kind))


@pytest.mark.by_hand("what no code of ours would write")
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_column_refuses_what_cannot_be_read_and_takes_all_else(table: Table, alone: Any) -> None:
    put = alone(table)
    for name in _of(table, DateTime):
        for moment in MOMENTS:
            with pytest.raises(IntegrityError, match="check constraint"):
                put(name, moment)
        assert all(isinstance(put(name, moment), datetime) for moment in TAKEN)
    for name in _of(table, Float):
        for number in NUMBERS:
            with pytest.raises(IntegrityError, match="check constraint"):
                put(name, number)
        if table.name in POSITIVE:
            with pytest.raises(IntegrityError, match="check constraint"):
                put(name, "0")
            assert [put(name, number) for number in ("1e-300", "1e308")] == [1e-300, 1e308]
        else:
            assert [put(name, number) for number in ("0", "-1.5", "1e308")] == [0, -1.5, 1e308]


def test_there_are_such_columns() -> None:
    moments = [name for table in TABLES for name in _of(table, DateTime)]
    numbers = [name for table in TABLES for name in _of(table, Float)]
    assert {"created_at", "lease_until", "measured_at"} <= {*moments}
    assert {"corr_len", "seconds", "loss"} <= {*numbers}

"""Many arrays in and out of Postgres at the speed of the driver."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Json
from sqlalchemy import JSON, ColumnElement, Dialect, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.types import NullType, TypeDecorator, TypeEngine

from rgstore.tables import Base


def copy_rows(session: Session, table: type[Base], rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows that give every column of a table, by COPY. Flush before what they refer to.

    An array is written from a list without a bind processor on each of its numbers.
    """
    columns = list(table.__table__.columns)
    dialect = session.connection().dialect
    types = [column.type.compile(dialect).lower() for column in columns]
    written = [_writer(column.type, dialect) for column in columns]
    names = [column.name for column in columns]
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.Identifier(table.__tablename__), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    driver = session.connection().connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row([write(row[name]) for name, write in zip(names, written, strict=True)])


def _writer(of: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any]:
    """What makes of a value what the driver takes for a column."""
    if isinstance(of, JSON):
        return Json
    if isinstance(of, TypeDecorator):
        return lambda value: of.process_bind_param(value, dialect)
    return lambda value: value


def as_it_comes(column: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
    """An array as the driver reads it, which is a list already."""
    return type_coerce(column, NullType()).label(column.key)

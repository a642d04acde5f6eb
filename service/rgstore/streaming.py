"""Rows that stay with the server until they are read: never more than a few are here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Result, Select
from sqlalchemy.orm import Session

ROWS_AT_A_TIME = 4
"""One may have a million numbers."""
_OPEN = "open streams"


def streamed(session: Session, statement: Select[*tuple[Any, ...]]) -> Result[*tuple[Any, ...]]:
    """The rows of a statement, read a few at a time as they are asked for.

    Args:
        session: of a `Database`, to read in until the last row is read.
        statement: that selects them.
    """
    rows = session.execute(statement, execution_options={"yield_per": ROWS_AT_A_TIME})
    session.info.setdefault(_OPEN, []).append(rows)
    return rows


@contextmanager
def streams_closed(session: Session) -> Iterator[None]:
    """What has not been read to its end is closed with this, while the transaction still is."""
    try:
        yield
    finally:
        for rows in session.info.pop(_OPEN, ()):
            rows.close()

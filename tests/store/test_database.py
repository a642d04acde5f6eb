"""Transactions: what one sees of others."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from rgstore.database import Database
from rgstore.tables import RunRow

COUNT = select(func.count()).select_from(RunRow)


def test_a_snapshot_sees_nothing_of_what_is_stored_meanwhile(database: Database, put: Any) -> None:
    put(seeds=2)
    with database.snapshot() as session:
        assert session.scalar(COUNT) == 2
        put(seeds=3)
        assert session.scalar(COUNT) == 2
    with database.snapshot() as session:
        assert session.scalar(COUNT) == 3

"""The lab: all who share one database."""

from __future__ import annotations

from sqlalchemy import select

from rgstore.database import Database
from rgstore.tables import LabRow


def lab_id(database: Database) -> str:
    """What tells this lab from another one that shares its broker.

    Raises:
        DBAPIError: the database does not answer, or is not migrated.
    """
    with database.begin() as session:
        return session.scalars(select(LabRow.id)).one().hex

"""The time that a database's transactions read, set by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, event, text

from rgstore.clock import SETTING
from rgstore.database import Database

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


class SetClock:
    """The clock of every transaction that begins on these connections; it stands still."""

    def __init__(self, *databases: Database) -> None:
        """It runs as Postgres' own until it is set."""
        self._moment: datetime | None = None
        for database in databases:
            event.listen(database.engine, "begin", self._set)

    def at(self, moment: datetime = NOON) -> None:
        """From the next transaction on it is this moment."""
        self._moment = moment

    def forward(self, **delta: float) -> None:
        """It is so much later than it was, as `timedelta` takes it."""
        assert self._moment is not None, "set the clock first"
        self._moment += timedelta(**delta)

    def release(self) -> None:
        """The clock runs again."""
        self._moment = None

    def _set(self, connection: Connection) -> None:
        if self._moment is not None:
            setting = {"name": SETTING, "moment": self._moment.isoformat()}
            connection.execute(text("SELECT set_config(:name, :moment, true)"), setting)

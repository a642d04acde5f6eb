"""Whether the server can do its work."""

from __future__ import annotations

from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from rgstore.database import Database
from rgstore.workers import hearing, live_workers


class Readiness(BaseModel):
    """What answers. Without workers submissions are stored and wait."""

    ready: bool
    database: bool
    workers: int
    """Workers heard of in the last half minute."""
    hearing: int
    """Those that a message of the broker has reached in the last half minute. The others look for
    work every half second, and find it."""


def check(database: Database) -> Readiness:
    """Ask the database."""
    try:
        with database.begin() as session:
            workers = len(live_workers(session))
            heard = hearing(session)
    except (DBAPIError, PoolTimeoutError):
        return Readiness(ready=False, database=False, workers=0, hearing=0)
    return Readiness(ready=True, database=True, workers=workers, hearing=heard)

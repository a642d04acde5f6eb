"""A database whose commits take long, as on a slow disk."""

from __future__ import annotations

from sqlalchemy import text

from rgstore.database import Database

FUNCTION = (
    "CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql "
    "AS 'BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END'"
)
TRIGGER = (
    "CREATE CONSTRAINT TRIGGER linger AFTER INSERT ON runs "
    "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION linger()"
)


def make_commits_slow(database: Database) -> None:
    """From now on a commit takes .3 s for each run that it stores, which is locked meanwhile."""
    with database.begin() as session:
        session.execute(text(FUNCTION))
        session.execute(text(TRIGGER))

"""All that people's requests write, to be compared before and after."""

from __future__ import annotations

from sqlalchemy import text

from rgstore.database import Database

WRITTEN = (
    "users", "tokens", "experiments", "submissions", "runs", "studies", "study_requests", "audit",
)  # fmt: skip
_ROWS = "SELECT (to_jsonb(one) - 'last_used_at')::text AS row FROM {} one ORDER BY row"


def stored(database: Database) -> dict[str, list[str]]:
    """Table -> its rows, but for when a token was used."""
    with database.begin() as session:
        return {table: list(session.scalars(text(_ROWS.format(table)))) for table in WRITTEN}

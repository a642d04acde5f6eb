"""How Alembic reaches the database."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, pool, text

from rgstore.settings import Settings
from rgstore.tables import Base

MIGRATION_LOCK = 0x52474C4D  # an arbitrary number, "RGLM": two migrations wait for each other


def run() -> None:
    """Run the migrations in one transaction, under a lock."""
    url = context.config.attributes.get("url") or Settings().database
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(
            connection=connection, target_metadata=Base.metadata, compare_server_default=True
        )
        with context.begin_transaction():
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            context.run_migrations()
    engine.dispose()


run()

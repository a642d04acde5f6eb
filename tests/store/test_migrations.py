"""The migrations build the schema that the code describes."""

from __future__ import annotations

from alembic import command

from migrations import alembic_config, upgrade


def test_the_models_and_the_migrations_do_not_drift(database_url: str) -> None:
    command.check(alembic_config(database_url))  # raises if a revision is missing


def test_migrating_twice_changes_nothing(database_url: str) -> None:
    upgrade(database_url)
    command.check(alembic_config(database_url))


def test_the_first_revision_can_be_taken_back(database_url: str) -> None:
    command.downgrade(alembic_config(database_url), "base")
    upgrade(database_url)
    command.check(alembic_config(database_url))

"""The schema's history. `upgrade` brings a database to the newest revision."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script.revision import ResolutionError
from alembic.util.exc import CommandError


class NewerSchemaError(Exception):
    """A newer release has brought the database to a revision that this one does not have."""


def alembic_config(url: str) -> Config:
    """Alembic's configuration for a database URL."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["url"] = url
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Migrate a database; does nothing if it is up to date.

    Raises:
        NewerSchemaError: it is of a newer release.
    """
    try:
        command.upgrade(alembic_config(url), revision)
    except CommandError as error:
        if not isinstance(error.__cause__, ResolutionError):
            raise
        raise NewerSchemaError(
            f"a newer release of RGLab has migrated the database: upgrade this one ({error})"
        ) from error

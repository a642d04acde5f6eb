"""The lab's database, as commands of an operator reach it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.orm import Session

from migrations import NewerSchemaError
from rglab.cli.console import stop
from rglab.embedded.running import with_running
from rgstore.database import Database
from rgstore.settings import InvalidSettingError, Settings, SettingsError


def operator_settings() -> Settings:
    """Of the environment, or of the lab that runs on the data directory."""
    return with_running(Settings())


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """The database of these settings."""
    database = Database(settings.database, pool_size=1)
    try:
        yield database
    finally:
        database.dispose()


@contextmanager
def database_errors() -> Iterator[None]:
    """Say what is wrong with the database, and end."""
    try:
        yield
    except InvalidSettingError:
        raise  # as for every command
    except (SettingsError, NewerSchemaError) as error:
        stop(str(error))
    except ProgrammingError as error:
        stop(f"the database lacks what this needs ({error.orig}): run `rglab migrate`")
    except DBAPIError as error:
        stop(f"the database does not answer: {error.orig}")


@contextmanager
def transaction() -> Iterator[Session]:
    """One transaction of an operator; what is wrong with the database is said, and ends it."""
    with database_errors(), opened(operator_settings()) as database, database.begin() as session:
        yield session

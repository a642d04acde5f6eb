"""`python -m rgservice`: the API alone, until SIGTERM."""

from __future__ import annotations

import argparse
import gc
import logging

import uvicorn

from rgservice.app import create_app
from rgstore.orphan import exit_with_parent
from rgstore.settings import Settings


def main() -> None:
    """Serve the API."""
    settings = Settings()
    parser = argparse.ArgumentParser(prog="rgservice", description=__doc__)
    parser.add_argument("--host", default=settings.host)
    parser.add_argument("--port", type=int, default=settings.port)
    arguments = parser.parse_args()
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    exit_with_parent()
    app = create_app(settings)
    gc.collect()
    gc.freeze()  # what is there now stays: going over all of it takes a tenth of a second each time
    uvicorn.run(
        app,
        host=arguments.host,
        port=arguments.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    main()

"""`python -m rgworker`: a worker until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import logging
import os
import secrets
import socket
import sys
import threading
from typing import Any

from celery import signals

from rgstore.database import Database
from rgstore.messages import MEASURE, CelerySender, make_celery
from rgstore.orphan import exit_with_parent
from rgstore.settings import Settings
from rgworker.process import TrainerPool
from rgworker.supervise import OutOfToleranceError, Supervisor
from rgworker.upkeep import Upkeep

log = logging.getLogger("rgworker")


def main() -> None:
    """Run a worker."""
    parser = argparse.ArgumentParser(prog="rgworker", description=__doc__)
    parser.add_argument("--concurrency", type=int, help="runs side by side (default: the cores)")
    parser.add_argument("--name", help="name of this worker (default: host and process)")
    arguments = parser.parse_args()
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    exit_with_parent()
    settings = Settings()
    concurrency = arguments.concurrency or settings.concurrency or os.cpu_count() or 1
    host = socket.gethostname()
    # the random part tells apart two workers that reuse a process id in two containers
    name = arguments.name or f"{host}-{os.getpid()}-{secrets.token_hex(3)}"
    serve(settings, name=name, host=host, concurrency=concurrency)


def serve(settings: Settings, *, name: str, host: str, concurrency: int) -> None:
    """Consume messages until the process is told to stop."""
    database = Database(settings.database, pool_size=concurrency + 2)
    sender = CelerySender(settings.broker)
    stopping = threading.Event()
    trainers = TrainerPool(settings.device)
    supervisor = Supervisor(database, settings, trainers, sender, name, host, stopping)
    upkeep = Upkeep(
        database,
        sender,
        worker=name,
        host=host,
        concurrency=concurrency,
        every_seconds=settings.maintenance_seconds,
        attempt_limit=settings.max_attempts,
    )
    app = make_celery(settings.broker)

    @app.task(name=MEASURE)  # type: ignore[untyped-decorator]  # Celery has no types
    def measure(run_id: int) -> None:
        state = supervisor.measure_next()
        log.info("message for run %s: %s", run_id, state or "nothing in line")

    # Connected strongly: Celery's signals keep weak references by default.
    @signals.worker_ready.connect(weak=False)  # type: ignore[untyped-decorator]
    def begin(**_: Any) -> None:
        upkeep.start()
        log.info("worker %s is ready, %s runs side by side", name, concurrency)

    @signals.worker_shutting_down.connect(weak=False)  # type: ignore[untyped-decorator]
    def stop(**_: Any) -> None:
        stopping.set()

    try:
        supervisor.require_calibrated()
        app.worker_main(
            [
                "worker",
                "--pool=threads",  # runs are processes of their own; a thread watches each
                f"--concurrency={concurrency}",
                f"--hostname={name}",
                "--without-gossip",
                "--without-mingle",
                "--loglevel=WARNING",
            ]
        )
    except OutOfToleranceError as error:
        sys.exit(str(error))
    finally:
        stopping.set()
        trainers.close()
        upkeep.stop()
        database.dispose()


if __name__ == "__main__":
    main()

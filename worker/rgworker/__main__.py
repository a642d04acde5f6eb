"""`python -m rgworker`: a worker until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import logging
import os
import secrets
import signal
import socket
import sys
import threading
from typing import Any

from celery import signals

from rgstore.database import Database
from rgstore.messages import MEASURE, QUEUES, CelerySender, make_celery
from rgstore.orphan import exit_with_parent
from rgstore.settings import Settings, SettingsError
from rgworker.process import TrainerPool
from rgworker.protocol import DeviceKind
from rgworker.supervise import OtherReleaseError, OutOfToleranceError, Supervisor
from rgworker.upkeep import Upkeep

log = logging.getLogger("rgworker")

CONCURRENCY = "fleets side by side (default: one per core, or one on a GPU)"


def main() -> None:
    """Run a worker."""
    parser = argparse.ArgumentParser(prog="rgworker", description=__doc__)
    parser.add_argument("--concurrency", type=int, help=CONCURRENCY)
    parser.add_argument("--name", help="name of this worker (default: host and process)")
    arguments = parser.parse_args()
    try:
        given = {} if arguments.concurrency is None else {"concurrency": arguments.concurrency}
        settings = Settings(**given)
        _ = settings.database, settings.broker
    except SettingsError as error:
        parser.error(str(error))
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    exit_with_parent()
    host = socket.gethostname()
    # the random part tells apart two workers that reuse a process id in two containers
    name = arguments.name or f"{host}-{os.getpid()}-{secrets.token_hex(3)}"
    trainers = TrainerPool(settings.device)
    try:
        with trainers.trainer() as lent:  # it stays warm for the first run
            kind = lent.trainer.ready.kind
        cores = (os.cpu_count() or 1) if kind == "cpu" else 1
        concurrency = settings.concurrency or cores
        serve(settings, trainers, name=name, host=host, kind=kind, concurrency=concurrency)
    finally:
        trainers.close()


def serve(
    settings: Settings,
    trainers: TrainerPool,
    *,
    name: str,
    host: str,
    kind: DeviceKind,
    concurrency: int,
) -> None:
    """Consume messages until the process is told to stop."""
    database = Database(settings.database, pool_size=concurrency + 2)
    sender = CelerySender(settings.broker)
    stopping = threading.Event()
    supervisor = Supervisor(database, settings, trainers, sender, name, host, stopping, concurrency)
    upkeep = Upkeep(
        database,
        sender,
        worker=name,
        host=host,
        device=kind,
        concurrency=concurrency,
        every_seconds=settings.maintenance_seconds,
        attempt_limit=settings.max_attempts,
    )
    app = make_celery(settings.broker)

    @app.task(name=MEASURE)  # type: ignore[untyped-decorator]  # Celery has no types
    def measure(run_id: int) -> None:
        try:
            states = supervisor.measure_next()
        except OtherReleaseError:  # whoever started us starts us again, all of one release
            os.kill(os.getpid(), signal.SIGTERM)
            raise
        log.info("message for run %s: %s", run_id, ", ".join(states) or "nothing in line")

    # Connected strongly: Celery's signals keep weak references by default.
    @signals.worker_ready.connect(weak=False)  # type: ignore[untyped-decorator]
    def begin(**_: Any) -> None:
        upkeep.start()
        log.info("worker %s is ready on %s, %s trainers side by side", name, kind, concurrency)

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
                f"--queues={QUEUES['any']},{QUEUES[kind]}",
                f"--hostname={name}",
                "--without-gossip",
                "--without-mingle",
                "--loglevel=WARNING",
            ]
        )
    except (OtherReleaseError, OutOfToleranceError) as error:
        sys.exit(str(error))
    finally:
        stopping.set()
        upkeep.stop()
        database.dispose()


if __name__ == "__main__":
    main()

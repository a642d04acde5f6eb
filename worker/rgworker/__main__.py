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
import time
from collections.abc import Callable
from functools import partial

from rgcontract import State
from rgstore.database import Database
from rgstore.lab import lab_id
from rgstore.logs import log_to_stderr
from rgstore.orphan import exit_with_parent
from rgstore.publisher import publishing
from rgstore.quotas import of_lab
from rgstore.settings import Settings, SettingsError
from rgworker.ear import Ear
from rgworker.hands import Hands
from rgworker.hearing import Hearing
from rgworker.inspecting import Inspector
from rgworker.lookout import Lookout
from rgworker.presence import AWAY, Presence
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
    log_to_stderr()
    exit_with_parent()
    host = socket.gethostname()
    # the random part tells apart two workers that reuse a process id in two containers
    name = arguments.name or f"{host}-{os.getpid()}-{secrets.token_hex(3)}"
    trainers = TrainerPool(settings.device, settings.backend)
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
    """Measure until the process is told to stop, whether the broker answers or not."""
    database = Database(settings.database, pool_size=concurrency + 4)
    publisher = publishing(database, settings.broker)
    stopping = threading.Event()
    _stop_when_told(stopping)
    supervisor = Supervisor(database, settings, trainers, name, host, stopping, concurrency)
    try:
        ready = supervisor.require_calibrated()
    except (OtherReleaseError, OutOfToleranceError) as error:
        sys.exit(str(error))
    told = threading.Event()

    def measure_next(claimed: Callable[[], None]) -> list[State]:
        try:
            return supervisor.measure_next(claimed)
        except OtherReleaseError:  # whoever started us starts us again, all of one release
            os.kill(os.getpid(), signal.SIGTERM)
            raise

    hands = Hands(concurrency, measure_next, stopping, on_free=told.set, warm=lambda: trainers.warm)
    lookout = Lookout(hands, partial(supervisor.in_line, ready), told, stopping)
    hearing = Hearing()

    def on_message() -> None:
        hearing.heard()
        told.set()

    ear = Ear(
        settings.broker,
        _lab(database, settings),
        worker=name,
        kind=kind,
        on_message=on_message,
        on_stop=stopping.set,
        is_stopping=stopping.is_set,
    )
    pause = settings.maintenance_seconds
    presence = Presence(
        database, hearing, worker=name, host=host, device=kind, concurrency=concurrency,
        every_seconds=pause,
    )  # fmt: skip
    upkeep = Upkeep(
        database, every_seconds=pause, attempt_limit=settings.max_attempts, lab=of_lab(settings)
    )
    inspector = Inspector(database, name)
    log.info("worker %s is ready on %s, %s trainers side by side", name, kind, concurrency)
    try:
        for thread in (hands, lookout, presence, upkeep, inspector):
            thread.start()
        ear.listen()
    finally:
        stopping.set()
        hands.join()
        inspector.stop()
        upkeep.stop()
        presence.stop()
        publisher.close()
        database.dispose()


def _stop_when_told(stopping: threading.Event) -> None:
    """Until Celery listens to signals: an interrupt may be lost where Python cannot raise it."""

    def leave(_number: int, _frame: object) -> None:
        stopping.set()
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)


def _lab(database: Database, settings: Settings) -> str:
    """The name of the lab; a database that is away is waited for."""
    while True:
        try:
            return lab_id(database)
        except AWAY as error:
            log.warning("%s; trying again in %g s", error, settings.maintenance_seconds)
            time.sleep(settings.maintenance_seconds)


if __name__ == "__main__":
    main()

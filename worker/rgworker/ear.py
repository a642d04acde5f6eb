"""The Celery worker in a worker: it takes messages and says that one has come."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable
from typing import Any

from celery import signals

from rgstore.messages import MEASURE, NO_RUN, make_celery, own, queue_of
from rgstore.outbox import ANY

log = logging.getLogger(__name__)


class Ear:
    """Listens in the main thread until the process is told to stop.

    A connection that falls silent is made anew within half a minute: Kombu sees to that.

    Args:
        broker_url: where messages come from.
        lab: whose queues it listens to.
        worker: its name.
        kind: of its device.
        on_message: called for each message, in the main thread; must not wait.
        on_stop: called when the process is told to stop, in a signal handler.
        is_stopping: whether it was told before.
    """

    def __init__(
        self,
        broker_url: str,
        lab: str,
        *,
        worker: str,
        kind: str,
        on_message: Callable[[], None],
        on_stop: Callable[[], None],
        is_stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._worker = worker
        self._app = app = make_celery(broker_url)
        app.conf.task_queues = [queue_of(lab, listener) for listener in (ANY, kind, own(worker))]
        app.conf.task_default_queue = queue_of(lab, ANY).name

        @app.task(name=MEASURE)  # type: ignore[untyped-decorator]  # Celery has no types
        def measure(run_id: int) -> None:
            on_message()
            if run_id != NO_RUN:
                log.debug("told of run %s", run_id)

        # Connected strongly: Celery's signals keep weak references by default.
        @signals.setup_logging.connect(weak=False)  # type: ignore[untyped-decorator]
        def leave_logging_as_it_is(**_: Any) -> None:
            for name in ("celery", "kombu"):
                logging.getLogger(name).setLevel(logging.WARNING)

        @signals.worker_ready.connect(weak=False)  # type: ignore[untyped-decorator]
        def ready(**_: Any) -> None:
            log.info("worker %s hears the broker", worker)
            if is_stopping():  # told so before Celery listened to signals
                os.kill(os.getpid(), signal.SIGTERM)

        @signals.worker_shutting_down.connect(weak=False)  # type: ignore[untyped-decorator]
        def stop(**_: Any) -> None:
            on_stop()

    def listen(self) -> None:
        """Take messages until the process is told to stop; a broker that is away is waited for."""
        self._app.worker_main(
            [
                "worker",
                "--pool=solo",  # a message is no work: it is taken where it arrives
                "--concurrency=1",
                f"--hostname={self._worker}",
                "--without-gossip",
                "--without-mingle",
                "--without-heartbeat",
            ]
        )

"""The Celery application and its one task name. Messages carry a run id and nothing else.

There is a queue for runs that any worker may take and one for each kind of device.

Postgres holds the truth: a message that is lost, repeated or late does no harm. So there is no
result backend, messages are acknowledged on receipt, and publishing never waits for long.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from celery import Celery
from kombu.exceptions import OperationalError

MEASURE = "rglab.measure"
QUEUES = {"any": "rglab", "cpu": "rglab.cpu", "cuda": "rglab.cuda"}
"""Kind of device -> queue of the runs that wait for it."""
PUBLISH_TIMEOUT_S = 2.0
CONSUME_TIMEOUT_S = 30.0  # longer than the broker's blocking read


def make_celery(broker_url: str, *, socket_timeout: float = CONSUME_TIMEOUT_S) -> Celery:
    """The Celery application on a broker."""
    app = Celery("rglab", broker=broker_url, set_as_current=False)
    app.conf.update(
        task_default_queue=QUEUES["any"],
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=False,
        task_publish_retry=False,
        worker_prefetch_multiplier=1,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options={
            "socket_timeout": socket_timeout,
            "socket_connect_timeout": PUBLISH_TIMEOUT_S,
        },
    )
    return app


class Sender(Protocol):
    """Tells the workers that runs wait for them."""

    def send(self, run_ids: Sequence[int], device: str = "any") -> list[int]:
        """Send a message for each run, to workers of this kind; returns those it was sent for."""


class CelerySender:
    """Sends through the broker; gives up at once when the broker does not answer."""

    def __init__(self, broker_url: str) -> None:
        """Connect lazily."""
        self._app = make_celery(broker_url, socket_timeout=PUBLISH_TIMEOUT_S)

    def send(self, run_ids: Sequence[int], device: str = "any") -> list[int]:
        """See `Sender`. What is not sent is sent by a worker's upkeep later."""
        sent: list[int] = []
        for run_id in run_ids:
            try:
                self._app.send_task(MEASURE, args=[run_id], queue=QUEUES[device], retry=False)
            except (OperationalError, OSError):
                break
            sent.append(run_id)
        return sent

    def waiting(self) -> dict[str, int]:
        """Kind of device -> messages the broker holds.

        Raises:
            OperationalError, RedisError, OSError: the broker does not answer.
        """
        with self._app.connection_for_read() as connection, connection.channel() as channel:
            return {
                device: int(channel.queue_declare(queue).message_count)
                for device, queue in QUEUES.items()
            }


class NullSender:
    """Sends nothing: runs wait until a worker's upkeep finds them."""

    def send(self, run_ids: Sequence[int], device: str = "any") -> list[int]:  # noqa: ARG002 - the protocol's
        """See `Sender`."""
        return []

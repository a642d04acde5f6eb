"""The Celery application and its one task. A message says that a run waits, and nothing else.

It is a hint to look at once. Workers look at the line every half second anyway, so a message that
is lost, repeated or late does no harm: there is no result backend, nothing is acknowledged, and
what nobody takes is forgotten after a minute.

The queues carry the name of the lab, so that several may share a broker: one for runs that any
worker may take, one for each kind of device, and one of each worker, by which it sees whether it
hears.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from celery import Celery
from kombu.entity import Exchange, Queue
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from rgstore.outbox import Announcement

MEASURE = "rglab.measure"
NO_RUN = 0
"""In place of a run, in a message that a worker sends itself."""
PUBLISH_TIMEOUT_S = 2.0
CONSUME_TIMEOUT_S = 10.0  # longer than the broker's blocking read
FORGOTTEN_AFTER_S = 60.0
MOST_MESSAGES = 100
"""At once and to one queue: more workers than that are not waiting."""

BROKER_ERRORS = (OperationalError, RedisError, OSError)
"""A broker that does not answer; Kombu hands Redis' own errors through."""


class BrokerAwayError(RuntimeError):
    """The broker does not answer, or not in time."""


def own(worker: str) -> str:
    """The listener that is this worker alone."""
    return f"worker.{worker}"


def queue_of(lab: str, listener: str) -> Queue:
    """The queue of a listener. What is taken from it is not kept for an acknowledgement."""
    name = f"rglab.{lab}.{listener}"
    exchange = Exchange(name)  # type: ignore[no-untyped-call]  # Kombu has few types
    return Queue(  # type: ignore[no-untyped-call]
        name, exchange, routing_key=name, no_ack=True, expires=FORGOTTEN_AFTER_S
    )


def make_celery(broker_url: str) -> Celery:
    """The Celery application on a broker, as a worker listens: it waits for the broker for ever."""
    app = Celery("rglab", broker=broker_url, set_as_current=False)
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=False,
        task_publish_retry=False,
        worker_prefetch_multiplier=1,
        # It goes through a channel that all who use the broker share: one lab could stop another's.
        # So would events of tasks, which are off unless asked for.
        worker_enable_remote_control=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            # An acknowledgement that the link swallows counts as a message still at work, and a
            # worker with one is given no other. Celery sends them even for queues without any.
            "ack_emulation": False,
            "socket_timeout": CONSUME_TIMEOUT_S,
            "health_check_interval": int(CONSUME_TIMEOUT_S),  # of a link that is open and silent
            "socket_connect_timeout": PUBLISH_TIMEOUT_S,
        },
    )
    return app


def make_publishing_celery(broker_url: str) -> Celery:
    """The same to publish with: it gives a broker up that does not answer."""
    app = make_celery(broker_url)
    app.conf.broker_transport_options = {
        **app.conf.broker_transport_options,
        "socket_timeout": PUBLISH_TIMEOUT_S,
        "max_retries": 0,  # Kombu opens its channel with retries of its own: 6 s of them
    }
    return app


class Sender(Protocol):
    """Sends messages to workers."""

    def publish(self, announcement: Announcement) -> int:
        """Send a message for each run; returns how many were sent.

        Raises:
            BrokerAwayError: the broker does not answer; what is left is not tried.
        """


class CelerySender:
    """Sends through the broker, and for so many seconds at most."""

    def __init__(self, broker_url: str, lab: Callable[[], str]) -> None:
        """Connect lazily; the lab is asked for with the first message."""
        self._app = make_publishing_celery(broker_url)
        self._ask, self._lab = lab, ""

    def publish(self, announcement: Announcement) -> int:
        """See `Sender`."""
        self._lab = self._lab or self._ask()
        until = time.monotonic() + PUBLISH_TIMEOUT_S
        sent = 0
        for listener, run_ids in announcement.items():
            queue = queue_of(self._lab, listener)
            for run_id in run_ids[:MOST_MESSAGES]:
                if time.monotonic() > until:
                    raise BrokerAwayError(f"it took {sent} messages in {PUBLISH_TIMEOUT_S:g} s")
                try:
                    self._app.send_task(MEASURE, args=[run_id], queue=queue, retry=False)
                except BROKER_ERRORS as error:
                    raise BrokerAwayError(str(error)) from error
                sent += 1
        return sent


def ping(broker_url: str) -> None:
    """Ask a broker whether it is there.

    Raises:
        BrokerAwayError: it does not answer.
    """
    try:
        with make_publishing_celery(broker_url).connection_for_read() as connection:
            connection.default_channel  # noqa: B018 - opening it speaks to the broker
    except BROKER_ERRORS as error:
        raise BrokerAwayError(str(error)) from error

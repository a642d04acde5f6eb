"""A server that is started again: not at once each time, and never after the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from rglab.embedded.kept import Kept, ServerError


class Mortal:
    """A server that ends when it is told to."""

    name = "Mortal"

    def __init__(self, log: Path) -> None:
        self.log = log
        self.running = True
        self.starts = 0
        self.trouble: Exception | None = None

    def start(self) -> None:
        self.starts += 1
        if self.trouble is not None:
            raise self.trouble
        self.running = True

    def stop(self) -> None:
        self.running = False


@pytest.fixture
def server(tmp_path: Path) -> Mortal:
    return Mortal(tmp_path / "log")


def test_one_that_runs_is_left_alone(server: Mortal) -> None:
    Kept(server, lambda _: None).check()
    assert server.starts == 0


def test_one_that_has_ended_is_started_again_and_said_so(server: Mortal) -> None:
    said: list[str] = []
    kept = Kept(server, said.append)
    server.running = False
    kept.check()
    assert (server.running, server.starts) == (True, 1)
    assert said[-1] == "Mortal is up again"


def test_one_that_ends_again_is_given_a_moment(server: Mortal) -> None:
    kept = Kept(server, lambda _: None)
    for _ in range(5):
        server.running = False
        kept.check()
    assert server.starts == 1


def test_a_start_that_fails_is_said_and_is_not_the_end(server: Mortal) -> None:
    said: list[str] = []
    server.running, server.trouble = False, ServerError("no room\nand more of its log")
    Kept(server, said.append).check()
    assert said[-1] == "no room"


def test_one_that_was_stopped_for_good_stays_so(server: Mortal) -> None:
    kept = Kept(server, lambda _: None)
    kept.stop()
    kept.check()
    assert (server.running, server.starts) == (False, 0)

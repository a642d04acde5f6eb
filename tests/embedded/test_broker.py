"""The embedded Valkey: which server it stops before it starts, and where it can live."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest
from lab_processes import until

from rglab.embedded import broker
from rglab.embedded.broker import BrokerError, EmbeddedBroker
from rglab.embedded.identity import server_process


def server_of(directory: Path) -> psutil.Process:
    """The server that runs on a directory."""
    found = (server_process(pid, "valkey-server", directory) for pid in psutil.pids())
    return next(process for process in found if process is not None)


def test_a_server_that_a_killed_supervisor_left_is_stopped_and_its_messages_kept(
    scratch: Path,
) -> None:
    where = scratch / "left" / "valkey"
    first = EmbeddedBroker(where, scratch / "left.log")
    left = server_of(where)
    with broker._client(broker.socket_path(where)) as client:
        client.set("kept", "yes")
    assert first._child is not None
    os.kill(first._child.pid, signal.SIGKILL)  # its wrapper: the server goes on by itself
    assert left.is_running()
    second = EmbeddedBroker(where, scratch / "left.log")
    try:
        assert server_of(where) != left
        with broker._client(broker.socket_path(where)) as client:
            assert client.get("kept") == b"yes"
    finally:
        second.stop()
        first.stop()
    assert not left.is_running() or left.status() == psutil.STATUS_ZOMBIE


def test_a_server_of_another_directory_is_never_stopped(scratch: Path) -> None:
    """As where the socket's path leads elsewhere, by a link or a copy."""
    theirs, ours = scratch / "theirs" / "valkey", scratch / "ours" / "valkey"
    other = EmbeddedBroker(theirs, scratch / "theirs.log")
    try:
        ours.mkdir(parents=True)
        broker.socket_path(ours).symlink_to(broker.socket_path(theirs))
        with pytest.raises(BrokerError, match="is no server of this directory"):
            EmbeddedBroker(ours, scratch / "ours.log")
        assert broker.answers(broker.socket_path(theirs))
    finally:
        other.stop()


def test_what_answers_in_no_words_of_valkey_is_named(scratch: Path) -> None:
    where = scratch / "strange" / "valkey"
    where.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(broker.socket_path(where)))
        listener.listen()
        silent: list[socket.socket] = []
        threading.Thread(target=lambda: silent.append(listener.accept()[0]), daemon=True).start()
        ran = subprocess.run(
            [sys.executable, "-m", "rglab.embedded.broker", str(where)],
            capture_output=True,
            text=True,
            check=False,
        )
    for connection in silent:
        connection.close()
    assert ran.returncode == 1
    assert "does not answer: end it, or remove the file" in ran.stderr


def test_a_stale_socket_is_no_obstacle(scratch: Path) -> None:
    where = scratch / "dead" / "valkey"
    where.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(broker.socket_path(where)))
    server = EmbeddedBroker(where, scratch / "dead.log")
    assert server.running
    server.stop()
    assert not server.running


@pytest.mark.parametrize("name", ["two words", 'a "b"', "a,b", "ü" * 60])
def test_it_lives_under_any_name(scratch: Path, name: Any) -> None:
    where = scratch / name / "valkey"
    server = EmbeddedBroker(where, scratch / "named.log")
    try:
        assert broker.answers(broker.socket_path(where))
    finally:
        server.stop()


def test_its_end_is_noticed_and_a_start_gives_it_back_at_the_same_address(scratch: Path) -> None:
    where = scratch / "again" / "valkey"
    server = EmbeddedBroker(where, scratch / "again.log")
    try:
        url = server.url
        server_of(where).kill()
        until(lambda: not server.running)
        server.start()
        assert (server.running, server.url) == (True, url)
        assert broker.answers(broker.socket_path(where))
    finally:
        server.stop()

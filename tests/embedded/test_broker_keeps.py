"""What the embedded Valkey promises: on disk before it answers, and for its user alone."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from rglab.embedded.broker import EmbeddedBroker, socket_path


@pytest.fixture(scope="module")
def directory(scratch: Path) -> Iterator[Path]:
    where = scratch / "keeps" / "valkey"
    server = EmbeddedBroker(where, scratch / "keeps.log")
    yield where
    server.stop()


def test_every_message_is_on_the_disk_before_it_is_acknowledged(directory: Path) -> None:
    with redis.Redis(unix_socket_path=str(socket_path(directory))) as client:
        said = client.config_get("append*")
    assert (said["appendonly"], said["appendfsync"]) == ("yes", "always")


def test_no_port_is_open(directory: Path) -> None:
    with redis.Redis(unix_socket_path=str(socket_path(directory))) as client:
        assert client.config_get("port")["port"] == "0"


def test_nobody_else_can_reach_it(directory: Path) -> None:
    for path in (directory, socket_path(directory)):
        assert stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO) == 0

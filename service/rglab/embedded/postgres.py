"""Embedded Postgres: started on a Unix socket, stopped in good order."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import psutil

from rglab.embedded import cluster
from rglab.embedded.children import tail
from rglab.embedded.cluster import ClusterError
from rglab.embedded.identity import await_end, has_ended, server_process
from rglab.embedded.kept import Say, ServerError
from rglab.embedded.sockets import make_private, socket_directory
from rglab.embedded.uninterrupted import uninterrupted

PROGRAM = "postgres"
PORT = "5432"  # names the socket; no port is opened
SOCKET = f".s.PGSQL.{PORT}"
START_SECONDS = 300.0  # after a crash it first reads its write-ahead log
STOP_SECONDS = 60.0
POLL_SECONDS = 0.02


class PostgresError(ServerError):
    """The server did not start; the message says what to look at."""


class EmbeddedPostgres:
    """A Postgres server whose data lie in a directory.

    One supervisor at a time may hold the directory (a lock of its own says so); a server that a
    killed supervisor left running is taken over.
    """

    name = "Postgres"

    def __init__(self, directory: Path, say: Say = lambda _: None) -> None:
        """Start it; the first time, create the cluster (about three seconds).

        Raises:
            PostgresError: it did not start.
        """
        self._directory, self._say = directory.resolve(), say
        self.log = self._directory / "log"
        self._process: psutil.Process | None = None
        self.start()

    def start(self) -> None:
        """Start it, or take over the one that runs; wait until it takes connections.

        Raises:
            PostgresError: it did not start.
        """
        self._reap()
        try:
            self._process = _running(self._directory)
            if not self._is_up():  # none runs, or one that was about to end
                with uninterrupted():  # a second or two
                    self._process = self._launch()
                self._require_up()
        except (ClusterError, OSError, subprocess.SubprocessError) as error:
            raise PostgresError(f"Postgres cannot start in {self._directory}: {error}") from error
        except BaseException:  # Ctrl-C, too
            self.stop()
            raise

    @property
    def url(self) -> str:
        """URL of the default database, on a Unix socket."""
        return _url(self._directory)

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and not has_ended(self._process)

    def stop(self) -> None:
        """Stop it and wait until it has stopped."""
        fast, at_once = signal.SIGINT, signal.SIGQUIT
        for number, seconds in ((fast, STOP_SECONDS), (at_once, 10.0), (signal.SIGKILL, 5.0)):
            if self._process is None or not self.running:
                break
            with contextlib.suppress(psutil.NoSuchProcess):
                self._process.send_signal(number)
            if await_end(self._process, seconds):
                break
        self._reap()

    def _launch(self) -> psutil.Popen:
        directory = self._directory
        directory.parent.mkdir(parents=True, exist_ok=True)
        account = cluster.account_for(directory)
        cluster.make_reachable(directory, account)
        aside = cluster.ensure(directory, account)
        if aside is not None:
            self._say(f"no server has ever run on what was in {directory}: it is now {aside}")
        sockets = socket_directory(directory, SOCKET)
        if sockets != directory:
            make_private(sockets, account.uid, account.gid)
        # no server of ours has the number in them, but Postgres takes any process for one
        for lock in (directory / "postmaster.pid", sockets / f"{SOCKET}.lock"):
            lock.unlink(missing_ok=True)
        listed = str(sockets).replace('"', '""')  # the setting is a list of quoted names
        with self.log.open("ab") as log:
            return psutil.Popen(
                [
                    str(cluster.binaries() / PROGRAM),
                    *("-D", str(directory)),
                    *("-h", ""),
                    *("-p", PORT),
                    *("-k", f'"{listed}"'),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in the terminal is for the supervisor alone
                **account.options,
            )

    def _is_up(self) -> bool:
        """Wait until it takes connections; False if it ends before it does."""
        deadline = time.monotonic() + START_SECONDS
        while self.running and time.monotonic() < deadline:
            if _is_ready(self._directory, self._process):
                return True
            time.sleep(POLL_SECONDS)
        return False

    def _require_up(self) -> None:
        if not self._is_up():
            raise PostgresError(f"Postgres did not start; {self.log} ends:\n{tail(self.log)}")

    def _reap(self) -> None:
        """Take note of the end of a child; one that was taken over is nobody's."""
        if not self.running and isinstance(self._process, psutil.Popen):
            self._process.wait()


def running_url(directory: Path) -> str | None:
    """URL of the server of this directory, if it runs. Starts nothing."""
    directory = directory.resolve()
    return _url(directory) if _running(directory) is not None else None


def _pid_file(directory: Path) -> list[str]:
    """Process, directory, start, port, socket directory, address, shared memory, status.

    Written line by line while the server starts: there may be fewer.
    """
    try:
        return (directory / "postmaster.pid").read_text(errors="replace").splitlines()
    except OSError:
        return []


def _running(directory: Path) -> psutil.Process | None:
    lines = _pid_file(directory)
    if not lines or not lines[0].strip().isdecimal():
        return None
    return server_process(int(lines[0]), PROGRAM, directory)


def _is_ready(directory: Path, process: psutil.Process | None) -> bool:
    if process is None:
        return False
    lines = [line.strip() for line in _pid_file(directory)]
    return len(lines) >= 8 and (lines[0], lines[7]) == (str(process.pid), "ready")


def _url(directory: Path) -> str:
    """Where the server says that it listens; that of an earlier release may listen elsewhere."""
    lines = _pid_file(directory)
    told = lines[4].strip() if len(lines) > 4 else ""
    sockets = told or str(socket_directory(directory, SOCKET))
    return f"postgresql://{cluster.USER}@/postgres?host={quote(sockets)}&port={PORT}"

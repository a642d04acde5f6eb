"""The project's commands as a user starts them: in processes of their own."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

import psutil
from lab_processes import PATIENCE, until

from rgcontract.credentials import Credentials, read_credentials

RGLAB = str(Path(sys.executable).with_name("rglab"))
WARNINGS = "PYTHONWARNINGS"
"""The variable that says what becomes of warnings; `conftest.py` sets it for all processes."""
READY = "Ctrl-C stops everything."


def environment(**variables: str) -> dict[str, str]:
    """Ours without `RGLAB_*`, and these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RGLAB_")}
    return {**kept, **variables}


def foreign() -> dict[str, str]:
    """Ours for a program that is not ours, such as pip: what it is warned of is not ours either."""
    return {name: value for name, value in environment().items() if name != WARNINGS}


def shell(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run lines as they would be pasted into bash."""
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code],
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


class Up:
    """`rglab up` on a free port."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self._log = data_dir.with_suffix(".log")
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [RGLAB, "up", "--port", "0"],
                env=environment(RGLAB_DATA_DIR=str(data_dir), RGLAB_CONCURRENCY="1"),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            until(lambda: READY in self.printed or self.process.poll() is not None)
            assert self.process.poll() is None, self.printed
        except BaseException:
            self.stop(signal.SIGTERM)
            raise

    @property
    def printed(self) -> str:
        """All that it has printed so far."""
        return self._log.read_text()

    @property
    def url(self) -> str:
        """The address it printed."""
        found = re.search(r"RGLab is at (\S+)", self.printed)
        assert found is not None, self.printed
        return found[1]

    @property
    def credentials(self) -> Credentials:
        """What it left for this user."""
        found = read_credentials(self.data_dir / "credentials.json")
        assert found is not None
        return found

    def pasted(self, language: str) -> str:
        """The lines it offers to paste, `with curl` or `in Python`."""
        return self.printed.partition(f"{language}:\n")[2].partition("\n\n")[0]

    def stop(self, number: signal.Signals) -> int:
        """Send a signal and wait; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE)


def processes_of(pid: int, data_dir: Path) -> list[psutil.Process]:
    """A command, all that it started, and its Postgres, which detaches itself."""
    found = [psutil.Process(pid)]
    postmaster = data_dir / "postgres" / "postmaster.pid"
    if postmaster.exists():
        found.append(psutil.Process(int(postmaster.read_text().splitlines()[0])))
    return found + [child for process in found for child in process.children(recursive=True)]


def alive(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Those that have not ended; one that nobody has waited for has."""
    return [
        process
        for process in processes
        if process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    ]


def sockets_in(data_dir: Path) -> list[Path]:
    """The Unix sockets that servers listen on."""
    return [path for path in data_dir.rglob("*") if path.is_socket()]


def listens(url: str) -> bool:
    """Whether anything takes connections at an address."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((urlsplit(url).hostname, urlsplit(url).port)) == 0

"""Processes that a supervisor starts, watches and stops."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from rgstore.orphan import VARIABLE


class Child:
    """One Python module as a process; it ends when the supervisor does, however that ends."""

    def __init__(
        self, name: str, arguments: Sequence[str], *, log: Path, env: Mapping[str, str]
    ) -> None:
        """Start `python -m ARGUMENTS`, its output appended to a log."""
        self.name, self.log = name, log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own modules
                [sys.executable, "-m", *arguments],
                stdin=subprocess.PIPE,  # held open: its end tells the child that we are gone
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **env, VARIABLE: "1"},
                start_new_session=True,  # Ctrl-C in the terminal is for the supervisor alone
            )

    @property
    def pid(self) -> int:
        """Process id, which is also that of its group."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def stop(self, seconds: float = 20.0) -> None:
        """Ask it to end, and end it if it does not."""
        self._process.terminate()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self.reap()

    def reap(self) -> None:
        """Wait for its end and close our end of its input."""
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()

    def tail(self, lines: int = 15) -> str:
        """The end of its log."""
        return tail(self.log, lines)


def tail(log: Path, lines: int = 15) -> str:
    """The end of a log."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError as error:
        return str(error)

"""Whether a process is a server of a directory. A number in a file proves nothing: it is reused."""

from __future__ import annotations

import time
from pathlib import Path

import psutil


def server_process(pid: int, program: str, directory: Path) -> psutil.Process | None:
    """The process of this number, if it runs `program` on `directory` and has not ended.

    What it gives is bound to the time at which the process started: a signal sent through it never
    reaches another that gets the number later.
    """
    try:
        process = psutil.Process(pid)
        if has_ended(process) or not _runs(process, program):
            return None
        return process if _is_at(process, directory) else None
    except (psutil.Error, ValueError, OverflowError, OSError):
        return None


def has_ended(process: psutil.Process) -> bool:
    """Whether it has ended; one that nobody has waited for has."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def await_end(process: psutil.Process, seconds: float) -> bool:
    """Wait until it has ended; False if it has not in time. Not `wait`: nobody may collect it."""
    deadline = time.monotonic() + seconds
    while not has_ended(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _runs(process: psutil.Process, program: str) -> bool:
    """By its binary; by its command line where a user without rights on it may not see that."""
    try:
        return Path(process.exe()).name == program
    except psutil.AccessDenied:
        return Path(process.cmdline()[:1][0]).name == program


def _is_at(process: psutil.Process, directory: Path) -> bool:
    """Both servers work in their data directory; Postgres names it in its command, too."""
    try:
        return Path(process.cwd()).samefile(directory)
    except psutil.AccessDenied:
        return str(directory) in process.cmdline()[1:]

"""Ending with the process that started us, however it ended."""

from __future__ import annotations

import os
import signal
import threading

STDIN = 0
VARIABLE = "RGLAB_SUPERVISED"
"""Set by a supervisor that holds the other end of our standard input."""


def exit_with_parent() -> None:
    """If we are supervised, take the end of standard input for a SIGTERM.

    A supervisor that is killed cannot stop its children, but its pipes close.
    """
    if VARIABLE in os.environ:
        threading.Thread(target=_wait, name="orphan-watch", daemon=True).start()


def _wait() -> None:
    while os.read(STDIN, 1):  # not sys.stdin: its lock would be held when the process ends
        pass
    os.kill(os.getpid(), signal.SIGTERM)

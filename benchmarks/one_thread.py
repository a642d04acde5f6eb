"""A process that computes as a trainer does: its libraries, too, on one thread."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from rgworker.process import ONE_THREAD


def on_one_thread(module: str, arguments: Sequence[str]) -> None:
    """Start the module anew where its libraries may use several: they look when they are loaded."""
    wanted = dict.fromkeys(ONE_THREAD, "1")
    if wanted.items() <= os.environ.items():
        return
    command = [sys.executable, "-m", module, *arguments]
    os.execve(command[0], command, {**os.environ, **wanted})  # noqa: S606 - itself, no shell

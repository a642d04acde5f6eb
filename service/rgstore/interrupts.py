"""Ctrl-C ends a program with exit code 130 and no traceback, whatever it is doing."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

EXIT_CODE = 130
"""That of a program that SIGINT has ended, as shells say it."""


def run(load: Callable[[], Callable[[], int | None]]) -> int | None:
    """Load a program and run it; returns its exit code.

    Args:
        load: imports it, which may take seconds, and returns its main function.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell has started it in background
        return load()()
    signal.signal(signal.SIGINT, lambda *_: os._exit(EXIT_CODE))  # nothing has been started yet
    main = load()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return main()
    except KeyboardInterrupt:
        return EXIT_CODE
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is ending

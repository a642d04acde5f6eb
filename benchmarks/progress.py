"""What the races are doing, for whoever waits."""

from __future__ import annotations

import sys
import time

_BEGIN = time.monotonic()


def say(text: str) -> None:
    """One line on stderr, with the seconds since the start."""
    sys.stderr.write(f"{time.monotonic() - _BEGIN:6.0f} s  {text}\n")
    sys.stderr.flush()

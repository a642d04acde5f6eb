"""Logs: one line for each event, whatever people have put into it."""

from __future__ import annotations

import logging
from typing import Any

from rgcontract.visible import LINE_BREAK, one_line

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
CONTINUED = "  | "
"""Before each line of a traceback, so that none of them reads like an event."""


class OneLine(logging.Formatter):
    """Writes an event on one line, and its traceback on lines that go on from it."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base's name
        """The line."""
        return one_line(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the base's name
        """The traceback."""
        return _continued(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 - the base's name
        """Where it was logged."""
        return _continued(super().formatStack(stack_info))


def log_to_stderr() -> None:
    """Have this process log its events."""
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine(FORMAT))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def _continued(text: str) -> str:
    return LINE_BREAK.join(CONTINUED + one_line(line) for line in text.split(LINE_BREAK))

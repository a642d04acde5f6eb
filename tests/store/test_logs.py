"""An event is one line of the log, whatever it holds."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
from hostile import TEXTS

from rgstore.logs import CONTINUED, FORMAT, OneLine


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger, and what it writes."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(OneLine(FORMAT))
    logger = logging.getLogger("test.logs")
    logger.addHandler(handler)
    logger.propagate = False
    yield logger, written
    logger.removeHandler(handler)


FORGED = "x\n2026-11-28 12:00:00,000 ERROR rgservice: all is lost"


@pytest.mark.parametrize("text", [*TEXTS.values(), FORGED], ids=[*TEXTS, "a forged event"])
def test_an_event_is_one_line(log: tuple[logging.Logger, io.StringIO], text: str) -> None:
    logger, written = log
    logger.warning("%s", text)
    assert len(written.getvalue().splitlines()) == 1
    assert "\x1b" not in written.getvalue()


@pytest.mark.parametrize("text", [*TEXTS.values(), FORGED], ids=[*TEXTS, "a forged event"])
def test_no_line_of_a_traceback_reads_like_an_event(
    log: tuple[logging.Logger, io.StringIO], text: str
) -> None:
    logger, written = log
    try:
        _fail(text)
    except ValueError:
        logger.exception("it failed", stack_info=True)
    first, *rest = written.getvalue().splitlines()
    assert first.endswith("ERROR test.logs: it failed")
    assert rest
    assert all(line.startswith(CONTINUED) for line in rest)
    assert "\x1b" not in written.getvalue()


def _fail(text: str) -> None:
    raise ValueError(text)

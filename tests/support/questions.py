"""Questions to a trainer about its own process.

What a trainer is told is data, and nothing of it is run. One that is to be asked is started with a
`sitecustomize` that runs a file on SIGUSR1: in its main thread, which is the one that trains.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lab_processes import until

from rgworker.process import Trainer

_LISTEN = """
import pathlib, signal
signal.signal(signal.SIGUSR1, lambda *_: exec(pathlib.Path({question!r}).read_text(), {{}}))
"""


@contextmanager
def open_to_questions(directory: Path) -> Iterator[None]:
    """Trainers that are started here can be asked, by what is written into a directory."""
    (directory / "sitecustomize.py").write_text(_LISTEN.format(question=str(_question(directory))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(directory), prepend=os.pathsep)
        yield


def run_in(trainer: Trainer, code: str, directory: Path) -> None:
    """Have a trainer run this, in the thread that trains."""
    _question(directory).write_text(code)
    os.kill(trainer.pid, signal.SIGUSR1)


def asked(trainer: Trainer, expression: str, directory: Path) -> str:
    """What an expression is there, as text."""
    answer = directory / "answer"
    answer.unlink(missing_ok=True)
    written = f"__import__('pathlib').Path({str(answer)!r}).write_text(repr({expression}))"
    run_in(trainer, written, directory)
    until(lambda: answer.exists() and answer.read_text())
    return answer.read_text()


def _question(directory: Path) -> Path:
    return directory / "question.py"

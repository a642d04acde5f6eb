"""Questions to a trainer about its own process."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from lab_processes import until

from rgworker.process import Trainer
from rgworker.protocol import Job


class Run:
    """Code that runs where it is unpickled: a trainer drops a message that is no job."""

    def __init__(self, code: str) -> None:
        self.code = code

    def __reduce__(self) -> Any:
        """As `exec` of the code."""
        return exec, (self.code,)


def run_in(trainer: Trainer, code: str) -> None:
    """Have a trainer run this, in the thread that trains."""
    trainer.start(cast("Job", Run(code)))


def asked(trainer: Trainer, expression: str, answer: Path) -> str:
    """What an expression is there, as text; it is written to the file `answer`."""
    written = f"__import__('pathlib').Path({str(answer)!r}).write_text(repr({expression}))"
    run_in(trainer, written)
    until(lambda: answer.exists() and answer.read_text())
    return answer.read_text()

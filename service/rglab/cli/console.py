"""How the command line speaks."""

from __future__ import annotations

from typing import NoReturn

import typer
from rich.console import Console

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def say(text: str) -> None:
    """A line about what happens."""
    err.print(text, style="dim", markup=False, soft_wrap=True)


def stop(text: str, code: int = 1) -> NoReturn:
    """End with a message that says what to do."""
    err.print(text, style="bold red", markup=False, soft_wrap=True)
    raise typer.Exit(code)

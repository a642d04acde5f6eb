"""How the command line speaks."""

from __future__ import annotations

from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from rgcontract.visible import lines


class _Console(Console):
    """Spells out what would move or colour a terminal: names and words are other people's."""

    def render_str(self, text: str, **options: Any) -> Text:
        """A text as it is shown."""
        return super().render_str(lines(text), **options)


out = _Console(highlight=False)
err = _Console(stderr=True, highlight=False)


def say(text: str) -> None:
    """A line about what happens."""
    err.print(text, style="dim", markup=False, soft_wrap=True)


def stop(text: str, code: int = 1) -> NoReturn:
    """End with a message that says what to do."""
    err.print(text, style="bold red", markup=False, soft_wrap=True)
    raise typer.Exit(code)

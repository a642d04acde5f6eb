"""`rglab`: the operator's command line. Its commands are imported when one is run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rgstore import interrupts

if TYPE_CHECKING:
    from rglab.cli.commands import app

__all__ = ["app", "main"]


def main() -> int | None:
    """Run the command line."""
    return interrupts.run(_load)


def _load() -> Callable[[], int | None]:
    from rglab.cli.commands import app  # noqa: PLC0415 - takes a second or two

    return app


def __getattr__(name: str) -> Any:
    if name == "app":
        return _load()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

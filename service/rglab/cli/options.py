"""Options that several commands take, and how a wrong value is refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from rgstore.settings import Settings


def bounds(setting: str) -> dict[str, Any]:
    """`min` and `max` of an option that overrides a setting."""
    found = Settings.model_fields[setting].metadata
    return {
        name: getattr(one, bound)
        for one in found
        for name, bound in (("min", "ge"), ("max", "le"))
        if hasattr(one, bound)
    }


def _directory(path: Path) -> Path:
    """Refuse, before anything is measured, a directory that cannot be written to afterwards."""
    there = next(place for place in (path, *path.absolute().parents) if place.exists())
    if not there.is_dir():
        raise typer.BadParameter(f"{there} is a file, not a directory")
    if not os.access(there, os.W_OK | os.X_OK):
        raise typer.BadParameter(f"{there} cannot be written to")
    return path


OutputDirectory = Annotated[
    Path, typer.Option(help="Directory that the numbers go to", callback=_directory)
]

"""Files that are whole at every moment, where nothing but the core is installed."""

from __future__ import annotations

from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write beside the path and rename: whoever reads it meanwhile has the file of before."""
    beside = path.with_suffix(".tmp")
    beside.write_text(text)
    beside.replace(path)

"""What a stage has found so far, in a file of its own that is whole at every moment."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from benchmarks.gpu.written import write_whole
from benchmarks.timing import Timing

Fact = Any
"""What JSON can hold."""


class Part:
    """The part of one stage; every change is on disk before it returns.

    Args:
        path: of the file; what was there before is overwritten.
        stage: whose part it is.
    """

    def __init__(self, path: Path, stage: str) -> None:
        self._path = path
        self._found: dict[str, Fact] = {"stage": stage, "state": "running", "rows": []}
        self._write()

    def add(self, **row: Fact) -> None:
        """One more row."""
        self._found["rows"].append(row)
        self._write()

    def set(self, **facts: Fact) -> None:
        """Facts that are no rows."""
        self._found.update(facts)
        self._write()

    def _write(self) -> None:
        write_whole(self._path, json.dumps(plain(self._found), indent=1, allow_nan=False))


def plain(value: Fact) -> Fact:
    """The same without numbers that JSON does not have: those become their names."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def milliseconds(timing: Timing) -> dict[str, float]:
    """Median, least and largest cost of a unit, as a row holds them, and how often it was taken."""
    return {
        "median": 1e3 * timing.median,
        "least": 1e3 * timing.least,
        "most": 1e3 * timing.most,
        "rounds": len(timing.costs),
    }

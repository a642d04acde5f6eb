"""The machine that was measured, and what else it was doing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import torch

BUSY = 0.5
"""Load for each core, before the start, above which the figures are not to be trusted."""


@dataclass(frozen=True)
class Machine:
    """A machine.

    Attributes:
        cores: of it.
        cpu: what they are.
        torch: version.
        load: processes that wanted to run, over the minute before the start.
    """

    cores: int
    cpu: str
    torch: str
    load: float

    def __str__(self) -> str:
        busy = " (busy: figures are not to be trusted)" if self.load > BUSY * self.cores else ""
        return f"{self.cores} cores ({self.cpu}), torch {self.torch}, load {self.load:.1f}{busy}"


def this_machine() -> Machine:
    """This one, now."""
    return Machine(os.cpu_count() or 1, _cpu(), torch.__version__, os.getloadavg()[0])


def _cpu() -> str:
    found = Path("/proc/cpuinfo")
    if not found.exists():
        return "unknown"
    lines = found.read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown"

"""Memory that a new process on this machine may take."""

from __future__ import annotations

import os
from pathlib import Path

MEMINFO = Path("/proc/meminfo")
CONTAINER = Path("/sys/fs/cgroup")
"""Limits of the container that the process runs in, if any (cgroup version 2)."""


def free_bytes(meminfo: Path = MEMINFO, container: Path = CONTAINER) -> int:
    """Bytes that are free, or would be if files in memory were dropped; within the container's.

    Where the system does not say what is free: all that the machine has.
    """
    found = [_of_machine(meminfo)]
    try:
        limit = (container / "memory.max").read_text().strip()
        used = int((container / "memory.current").read_text())
    except OSError:
        return found[0]
    if limit != "max":
        found.append(max(0, int(limit) - used))
    return min(found)


def _of_machine(meminfo: Path) -> int:
    try:
        for line in meminfo.read_text().splitlines():
            name, _, value = line.partition(":")
            if name == "MemAvailable":
                return int(value.split()[0]) * 1024
    except OSError:
        pass
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")

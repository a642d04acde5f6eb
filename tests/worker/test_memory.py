"""Free memory as Linux and containers say it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from rgworker.memory import free_bytes

MEMINFO = "MemTotal:       4000 kB\nMemFree:  100 kB\nMemAvailable:   3000 kB\nBuffers: 1 kB\n"


@pytest.fixture
def meminfo(tmp_path: Path) -> Any:
    path = tmp_path / "meminfo"
    path.write_text(MEMINFO)
    return path


@pytest.fixture
def container(tmp_path: Path) -> Any:
    """A container that uses 1 MB of its limit."""

    def _container(limit: str) -> Any:
        (tmp_path / "memory.max").write_text(f"{limit}\n")
        (tmp_path / "memory.current").write_text("1000000\n")
        return tmp_path

    return _container


def test_outside_a_container_it_is_what_the_machine_has(meminfo: Any, tmp_path: Path) -> None:
    assert free_bytes(meminfo, tmp_path / "none") == 3000 * 1024


def test_a_container_without_a_limit_has_what_the_machine_has(meminfo: Any, container: Any) -> None:
    assert free_bytes(meminfo, container("max")) == 3000 * 1024


def test_a_container_has_what_its_limit_leaves(meminfo: Any, container: Any) -> None:
    assert free_bytes(meminfo, container("1500000")) == 500_000


def test_a_container_over_its_limit_has_nothing(meminfo: Any, container: Any) -> None:
    assert free_bytes(meminfo, container("900000")) == 0


def test_where_nobody_says_what_is_free_it_is_all(tmp_path: Path) -> None:
    everything = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert free_bytes(tmp_path / "none", tmp_path) == everything

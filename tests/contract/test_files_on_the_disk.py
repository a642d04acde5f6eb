"""A file that is said to be written is on the disk: synchronised before it takes its name."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from rgcontract.credentials import Credentials, write_credentials
from rgcontract.files import write_bytes


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What is synchronised and what is renamed, in order."""
    seen: list[str] = []
    fsync, replace = os.fsync, os.replace

    def synchronised(handle: int) -> None:
        kind = "directory" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file"
        seen.append(f"{kind} of {os.fstat(handle).st_size} bytes" if kind == "file" else kind)
        fsync(handle)

    def renamed(*names: str | Path) -> None:
        seen.append("renamed")
        replace(*names)

    monkeypatch.setattr(os, "fsync", synchronised)
    monkeypatch.setattr(os, "replace", renamed)
    monkeypatch.setattr(os, "rename", renamed)
    return seen


def test_the_bytes_are_on_the_disk_before_the_name_and_the_name_after_it(
    steps: Any, tmp_path: Path
) -> None:
    write_bytes(tmp_path / "file", b"12345")
    assert steps == ["file of 5 bytes", "renamed", "directory"]


def test_credentials_are_on_the_disk_when_they_are_written(steps: Any, tmp_path: Path) -> None:
    path = write_credentials(Credentials("http://lab", "t"), tmp_path / "credentials.json")
    assert steps == [f"file of {path.stat().st_size} bytes", "renamed", "directory"]

"""A child is asked to end, and ended if it does not."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from lab_processes import until

from rglab.embedded.children import Child

DEAF = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(1000)
"""
POLITE = DEAF.replace("SIG_IGN", "SIG_DFL")


def _child(tmp_path: Any, code: str) -> Child:
    (tmp_path / "child.py").write_text(code)
    env = {"PYTHONPATH": str(tmp_path)}
    child = Child("child", ["child"], log=tmp_path / "log", env=env)
    until(lambda: child.tail() == "deaf")
    return child


def test_one_that_ends_when_asked_is_not_killed(tmp_path: Path) -> None:
    child = _child(tmp_path, POLITE)
    child.stop()
    assert child.exit_code == -signal.SIGTERM


def test_one_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    child = _child(tmp_path, DEAF)
    child.stop(seconds=0.1)
    assert child.exit_code == -signal.SIGKILL

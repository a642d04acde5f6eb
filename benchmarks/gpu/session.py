"""All stages, one after another, each in a process that is killed when its time is over."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.gpu import ROOT
from benchmarks.progress import say

SCHEMA = 1
"""Of the JSON; another number where what a field means has changed."""
STAGES = {
    "environment": 15,
    "agreement": 75,
    "suite": 110,
    "speed": 150,
    "algebra": 40,
    "measuring": 50,
}
"""In this order, with seconds: of the budget each gets its part, and of what is left over."""
LEAST_S = 20
"""That a stage gets where there is as much: loading torch alone takes some."""
SOFT = 0.85
"""Of its time, after which a stage begins nothing new."""
TAIL = 2000
"""Characters of what a stage wrote on stderr that are kept where it died."""


def run(
    folder: Path,
    device: str,
    budget_s: float,
    *,
    toy: bool,
    stages: Mapping[str, float] = STAGES,
) -> dict[str, Any]:
    """Every stage; what came of them.

    Args:
        folder: where parts are kept.
        device: "cuda" or "cpu".
        budget_s: seconds for all of them.
        toy: whether all sizes are as small as can be.
        stages: which, and by what weights they share the time.
    """
    begin = time.monotonic()
    found: dict[str, Any] = {}
    ahead = sum(stages.values())
    for name, weight in stages.items():
        left = max(0.0, budget_s - (time.monotonic() - begin))
        seconds = min(left, max(LEAST_S, left * weight / ahead))
        ahead -= weight
        say(f"{name}: at most {seconds:.0f} s")
        found[name] = _stage(name, folder, device, seconds, toy=toy)
        say(f"{name}: {found[name]['state']}")
    return {
        "schema": SCHEMA,
        "device": device,
        "toy": toy,
        "budget_s": budget_s,
        "seconds": time.monotonic() - begin,
        "stages": found,
    }


def _stage(name: str, folder: Path, device: str, seconds: float, *, toy: bool) -> dict[str, Any]:
    """The part of one stage, whatever became of its process."""
    path, log = folder / f"{name}.json", folder / f"{name}.log"
    command = [sys.executable, "-m", "benchmarks.gpu.stage", name, "--part", str(path)]
    command += ["--device", device, "--seconds", str(SOFT * seconds), *(["--toy"] if toy else [])]
    path.unlink(missing_ok=True)
    with log.open("w") as said:
        process = subprocess.Popen(  # noqa: S603 - this Python
            command, cwd=ROOT, stdout=said, stderr=said, start_new_session=True
        )
        state: dict[str, Any] = {}
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            state = {"state": "out of time", "error": f"not done after {seconds:.0f} s"}
            status = 0
        finally:
            _end(process)
    return ended(_read(path, name), state, status, log.read_text(errors="replace"))


def ended(
    part: Mapping[str, Any], state: Mapping[str, Any], status: int, log: str
) -> dict[str, Any]:
    """A part with how its process ended, where it could not say so itself."""
    found = {**part, **state}
    if found["state"] == "running":  # it has died
        found |= {"state": "failed", "error": f"its process ended with {status}"}
    if found["state"] != "done":
        found["log"] = log[-TAIL:]
    return found


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill it and all that it has started, if they are still there."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _read(path: Path, name: str) -> dict[str, Any]:
    if not path.exists():
        return {"stage": name, "state": "running", "rows": []}
    found: dict[str, Any] = json.loads(path.read_text())
    return found

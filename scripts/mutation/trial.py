"""One mutant, tried in a copy of the tree: do its tests notice?"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil

from scripts.mutation.mutant import Mutant
from scripts.mutation.places import ROOTS, TESTS_QUIETLY
from scripts.mutation.selecting import LIST

LEAST_SECONDS = 60.0
"""For the start of Python, torch and a database, on a busy machine."""
SLOWER = 3.0
"""Than when they were timed: longer than that is a loop without end."""
MOST_MEMORY = 12 * 2**30
"""Bytes that a process may take: a mutant that allocates without end must not fill the machine."""
SELECTING = "scripts.mutation.selecting"
"""The plugin of pytest that leaves the tests that were chosen."""
MARK = "RGLAB_MUTATION_COPY"


class End(StrEnum):
    """How a trial ends."""

    KILLED = "killed"
    TIMEOUT = "timeout"
    SURVIVED = "survived"
    NO_TEST = "no test"


@dataclass(frozen=True)
class Trial:
    """What became of a mutant; `test` is the first that failed."""

    mutant: Mutant
    end: End
    seconds: float
    n_tests: int
    test: str = ""


@contextmanager
def copies(root: Path, n: int) -> Iterator[list[Path]]:
    """Copies of what git has or would add, gone afterwards."""
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=root, check=True, capture_output=True, text=True,
    ).stdout.split("\0")  # fmt: skip
    above = Path(tempfile.mkdtemp(prefix="rglab-mutants-"))
    try:
        made = [above / str(number) for number in range(n)]
        for copy in made:
            for file in files:
                if file and (root / file).is_file():
                    (copy / file).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(root / file, copy / file)
        yield made
    finally:
        shutil.rmtree(above, ignore_errors=True)


def environment(copy: Path, **more: str) -> Mapping[str, str]:
    """Python finds the packages in the copy, before those that are installed."""
    path = os.pathsep.join(str(copy / root) for root in ROOTS)
    return {**os.environ, "PYTHONPATH": path, MARK: str(copy), **more}


def tried(copy: Path, mutant: Mutant, tests: Sequence[str], expected_seconds: float) -> Trial:
    """Change the file in the copy, run the tests until one fails, change it back."""
    if not tests:
        return Trial(mutant, End.NO_TEST, 0.0, 0)
    begun = time.monotonic()
    file = copy / mutant.file
    whole = file.read_bytes()
    limit = LEAST_SECONDS + SLOWER * expected_seconds
    _write(file, mutant.applied(copy))
    try:
        end, test = _run(copy, tests, limit)
    finally:
        _write(file, whole)
        _end_all(copy)
    return Trial(mutant, end, time.monotonic() - begun, len(tests), test)


def _write(file: Path, text: bytes) -> None:
    """What was compiled goes too: it is told by size and second of the source alone."""
    file.write_bytes(text)
    for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
        compiled.unlink()


def _run(copy: Path, tests: Sequence[str], limit: float) -> tuple[End, str]:
    listed = copy / "mutation-tests.json"
    listed.write_text(json.dumps(tests))
    files = dict.fromkeys(test.split("::")[0] for test in tests)
    process = subprocess.Popen(  # noqa: S603 - our own tests
        [
            sys.executable,
            "-m",
            "pytest",
            *TESTS_QUIETLY,
            "-x",
            "-p",
            "scripts.mutation.selecting",
            *files,
        ],
        cwd=copy,
        env=environment(copy, **{LIST: str(listed)}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    psutil.Process(process.pid).rlimit(psutil.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))
    try:
        said, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        _end_all(copy)
        process.communicate()
        return End.TIMEOUT, ""
    if process.returncode == 0:
        return End.SURVIVED, ""
    if process.returncode == 5:  # pytest: nothing was run, as names of tests follow from the code
        return End.NO_TEST, ""
    return End.KILLED, _first_failure(said)


def _first_failure(said: str) -> str:
    """The test that pytest names; its last line where a module cannot be imported."""
    lines = said.strip().splitlines()
    for line in lines:
        if line.startswith(("FAILED ", "ERROR ")):
            return line.split(" ", 1)[1].split(" - ")[0]
    return lines[-1] if lines else ""


def _end_all(copy: Path) -> None:
    """End what was started in a copy and outlived its tests: servers, trainers."""
    left: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(copy):
                process.send_signal(signal.SIGKILL)
                left.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    psutil.wait_procs(left, timeout=10)

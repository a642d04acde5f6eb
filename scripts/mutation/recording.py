"""Run the tests once and write down which of them touch which line, and how long each takes.

`python -m scripts.mutation.recording OUT TEST...`, run in the copy that is going to be mutated.
Those marked `slow` are left out: each guard has a quick test.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import coverage
import pytest

from rgcontract.files import write_text
from scripts.mutation.places import PACKAGES, SHARED, TESTS_QUIETLY


class Recorder:
    """A pytest plugin that names the running test to coverage and times it."""

    def __init__(self, measured: coverage.Coverage) -> None:
        self.measured = measured
        self.seconds: dict[str, float] = {}
        self.failed: set[str] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> object:
        """What the test and its fixtures touch is its own."""
        self.measured.switch_context(item.nodeid)
        outcome = yield
        self.measured.switch_context("")
        return outcome

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Setting up counts: a test that needs a database waits for one."""
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
        if (
            not report.passed
        ):  # a test that is skipped or fails without a mutant says nothing of one
            self.failed.add(report.nodeid)


def record(out: Path, tests: list[str]) -> None:
    """Write `{"seconds": {test: s}, "lines": {file: {line: [test]}}}` of the tests that pass."""
    root = Path.cwd()
    measured = coverage.Coverage(data_file=None, source=[str(root / one) for one in PACKAGES])
    recorder = Recorder(measured)
    measured.start()
    pytest.main([*TESTS_QUIETLY, "-m", "not slow", *tests], plugins=[recorder])
    measured.stop()
    data = measured.get_data()
    usable = {test: s for test, s in recorder.seconds.items() if test not in recorder.failed}
    lines = {
        str(Path(file).relative_to(root)): {
            str(line): [test for test in touching if test in usable]
            for line, touching in data.contexts_by_lineno(file).items()
        }
        for file in data.measured_files()
    }
    write_text(out, json.dumps({"seconds": usable, "lines": lines}))


def digest(tree: Path, folder: str) -> str:
    """What a recording of a folder of tests depends on: the code, these tests, what they share."""
    found = hashlib.sha256()
    for place in (*PACKAGES, "worker/rgworker", *SHARED, folder):
        path = tree / place
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            found.update(str(file.relative_to(tree)).encode() + file.read_bytes())
    return found.hexdigest()[:12]


if __name__ == "__main__":
    record(Path(sys.argv[1]), sys.argv[2:])

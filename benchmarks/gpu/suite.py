"""Stage `suite`: the core's tests, those that can run on the device on it.

The folders whose networks are put on the device come first, then the rest of the core as far as
the time goes: those show that this machine's Python, torch, numpy and scipy are good for it at all.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.gpu import ROOT
from benchmarks.gpu.part import Part
from benchmarks.gpu.setting import Setting

DEVICE = "RGLAB_TEST_DEVICE"
"""Read by tests/support/devices.py."""
CORE = ROOT / "tests" / "core"
ON_DEVICE = ("fleet", "measurement", "calibration", "training")
REST = (
    "network",
    "observables",
    "chain",
    "claims",
    "test_random.py",
    "test_sizing.py",
    "test_statistics.py",
)
TOY = ("fleet/test_member.py", "fleet/test_parting.py", "test_random.py")
MOST_REASON = 2000
"""Characters of a failure that are kept."""


class Recorder:
    """Writes down every test as it ends, and stops when the time is over."""

    def __init__(self, setting: Setting, part: Part) -> None:
        self._setting, self._part = setting, part
        self._counts = {"passed": 0, "failed": 0, "skipped": 0, "not read": 0}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test has ended, or could not be set up."""
        if report.when == "call" or report.outcome != "passed":
            self._note(report.outcome, report.nodeid, report.longreprtext)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file could not be read, for want of a package most likely."""
        if report.failed:
            missing = "ModuleNotFoundError" in report.longreprtext
            self._note("not read" if missing else "failed", report.nodeid, report.longreprtext)

    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """The time may be over."""
        if self._setting.left < 0:
            item.session.shouldstop = "no time left"

    def _note(self, outcome: str, name: str, text: str) -> None:
        self._counts[outcome] += 1
        self._part.set(counts=self._counts)
        if outcome != "passed":
            self._part.add(name=name, outcome=outcome, reason=text[-MOST_REASON:])


def run(setting: Setting, part: Part) -> None:
    """A row for each test that did not pass; the others are counted."""
    os.environ[DEVICE] = setting.device.type
    chosen = TOY if setting.toy else (*ON_DEVICE, *REST)
    part.set(ran=list(chosen), counts={})
    status = pytest.main(
        [
            *(str(CORE / name) for name in chosen),
            *("-c", str(Path(__file__).with_name("pytest.ini"))),
            *("--rootdir", str(ROOT)),
            *("--confcutdir", str(CORE)),
            *("-p", "no:cacheprovider"),
            "-q",
        ],
        plugins=[Recorder(setting, part)],
    )
    part.set(status=int(status), complete=setting.left > 0)

"""A worker is killed in the middle of its runs, and another one after it."""

from __future__ import annotations

from lab_processes import kill_group, until

from tests.chaos.lab import ChaosLab, chaos_lab
from tests.chaos.scenario import Effort, Scenario, Seen
from tests.chaos.work import account, attempts, submit

KILLS = 2
"""A run has three attempts."""


def _run(effort: Effort) -> Seen:
    n_runs = 12 if effort.quick else 200
    with chaos_lab(effort.directory) as lab:
        submit(lab, n_runs)
        for _ in range(KILLS):
            _kill_at_work(lab)
        lab.worker()
        return account(lab, n_runs)


def _kill_at_work(lab: ChaosLab) -> None:
    """One more worker, until it has claimed; leases of one before it are there all the while."""
    before = attempts(lab)
    doomed = lab.worker()
    until(lambda: attempts(lab) > before)
    kill_group(doomed)


SCENARIO = Scenario(
    f"kill -9 of {KILLS} workers in the middle of their runs",
    "every run is measured and counted once",
    _run,
)

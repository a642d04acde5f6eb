"""A worker is killed in the middle of its runs, and another one after it."""

from __future__ import annotations

from lab_processes import kill_group, until

from rgcontract import State
from tests.chaos.lab import chaos_lab
from tests.chaos.scenario import Effort, Scenario, Seen
from tests.chaos.work import account, counted, submit

KILLS = 2
"""A run has three attempts."""


def _run(effort: Effort) -> Seen:
    n_runs = 12 if effort.quick else 200
    with chaos_lab(effort.directory) as lab:
        submit(lab, n_runs)
        for _ in range(KILLS):
            doomed = lab.worker()
            until(lambda: counted(lab, State.RUNNING))
            kill_group(doomed)
        lab.worker()
        return account(lab, n_runs)


SCENARIO = Scenario(
    f"kill -9 of {KILLS} workers in the middle of their runs",
    "every run is measured and counted once",
    _run,
)

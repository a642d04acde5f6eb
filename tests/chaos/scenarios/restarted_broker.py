"""The broker is killed while runs are submitted and measured, and comes back."""

from __future__ import annotations

from lab_processes import kill_group, until

from rgcontract import State
from tests.chaos.lab import chaos_lab
from tests.chaos.scenario import Effort, Scenario, Seen
from tests.chaos.work import PATIENCE, account, counted, submit


def _run(effort: Effort) -> Seen:
    n_runs = 8 if effort.quick else 100
    with chaos_lab(effort.directory) as lab:
        lab.worker()
        submit(lab, n_runs)
        until(lambda: counted(lab, State.RUNNING) + counted(lab, State.DONE))
        kill_group(lab.broker)
        submit(lab, 2 * n_runs)  # as many again
        until(lambda: counted(lab, State.DONE) > n_runs, PATIENCE)  # of those submitted just now
        lab.start_broker()
        return account(lab, 2 * n_runs)


SCENARIO = Scenario(
    "kill -9 of the broker while runs are submitted and measured",
    "submissions are taken, work goes on, every run is measured and counted once",
    _run,
)

"""Postgres is stopped while runs are measured, and started again."""

from __future__ import annotations

import httpx
from lab_processes import until

from rgcontract import State
from tests.chaos.lab import ChaosLab, chaos_lab
from tests.chaos.scenario import Effort, Scenario, Seen
from tests.chaos.work import account, counted, submit


def _run(effort: Effort) -> Seen:
    n_runs = 12 if effort.quick else 200
    with chaos_lab(effort.directory) as lab:
        lab.worker()
        submit(lab, n_runs)
        until(lambda: counted(lab, State.RUNNING))
        lab.postgres.stop()
        without = _readiness(lab)
        lab.postgres.start()
        until(lambda: _readiness(lab) == 200)
        found = account(lab, n_runs)
    return Seen(found.held and without == 503, f"readiness {without} without; {found.what}")


def _readiness(lab: ChaosLab) -> int:
    return httpx.get(f"{lab.url}/readyz", timeout=60).status_code


SCENARIO = Scenario(
    "Postgres is stopped while runs are measured, and started again",
    "the API says so meanwhile; every run is measured and counted once",
    _run,
)

"""Runs that are submitted, and the account of them when all is over."""

from __future__ import annotations

import httpx
from lab_processes import TINY, until
from sqlalchemy import func, select

from rgcontract import Outcome, State
from rgcore.statistics import summarise_runs
from rgstore.invariants import INVARIANTS, Scope
from rgstore.runs import count_all_runs
from rgstore.tables import AttemptRow, ResultRow, RunRow
from tests.chaos.lab import ChaosLab
from tests.chaos.scenario import Seen

PATIENCE = 600.0
"""Seconds until all is measured."""
USER = "tester"


def submit(lab: ChaosLab, n: int) -> None:
    """Ask for so many runs, of one shape."""
    answer = httpx.post(
        f"{lab.url}/v1/experiments",
        headers={"Authorization": f"Bearer {lab.token(USER)}"},
        json={**TINY, "seeds": n},
        timeout=60,
    )
    answer.raise_for_status()


def counted(lab: ChaosLab, state: State) -> int:
    """Runs in a state."""
    with lab.database.begin() as session:
        return count_all_runs(session).get(state, 0)


def attempts(lab: ChaosLab) -> int:
    """Attempts that workers have begun, whatever became of them."""
    with lab.database.begin() as session:
        return session.scalar(select(func.count()).select_from(AttemptRow)) or 0


def account(lab: ChaosLab, n: int) -> Seen:
    """When nothing is left to do: that each of so many runs was measured, and counted once."""
    until(lambda: counted(lab, State.QUEUED) + counted(lab, State.RUNNING) == 0, PATIENCE)
    with lab.database.begin() as session:
        runs = session.scalar(select(func.count()).select_from(RunRow)) or 0
        results = session.scalar(select(func.count()).select_from(ResultRow)) or 0
        done = func.count().filter(AttemptRow.outcome == Outcome.DONE)
        per_run = session.execute(select(done, func.count()).group_by(AttemptRow.run_id)).all()
    once = sum(times == 1 for times, _ in per_run)
    lost = sum(tries - times for times, tries in per_run)
    scope = Scope(summarise_runs, newest=None)
    broken = [one.name for one in INVARIANTS if one.breaches(lab.database, scope)]
    return Seen(
        held=counted(lab, State.DONE) == runs == results == once == n and not broken,
        what=f"{n} runs: {counted(lab, State.DONE)} done, {results} results, {once} measured "
        f"once; {lost} attempts were lost; invariants broken: {', '.join(broken) or 'none'}",
    )

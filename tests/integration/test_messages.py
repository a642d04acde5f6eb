"""Nobody waits for a message: runs are measured whatever the broker does."""

from __future__ import annotations

import time
from typing import Any

import httpx
from lab_processes import TINY, Lab, kill_group, until
from slow_commit import make_commits_slow
from sqlalchemy import func, select, text

import rgclient
from rgstore.database import Database
from rgstore.lab import lab_id
from rgstore.tables import AttemptRow, RunRow

TINIEST = {**TINY, "training": {"steps": 1, "batch_size": 4}, "measurement": {"n_sequences": 16}}
N_RUNS = 60
PATIENCE_S = 5.0
"""For a busy machine. What is ruled out is a run that waits for a sweep: 15 s and more."""


def _waits(database: Database) -> list[float]:
    """Seconds from when each run was put in line to when it was claimed, by Postgres' clock."""
    waited = func.extract("epoch", AttemptRow.started_at - RunRow.queued_at)
    with database.begin() as session:
        rows = select(waited).join(RunRow, RunRow.id == AttemptRow.run_id).order_by(RunRow.id)
        return [float(seconds) for seconds in session.scalars(rows)]


def _one_after_another(client: rgclient.Client, database: Database, n: int) -> None:
    for corr_len in range(1, n + 1):
        client.submit(**{**TINIEST, "chain": {"n_states": 4, "corr_len": corr_len}}, seeds=1)
        until(lambda: _all_done(database))


def _all_done(database: Database) -> bool:
    with database.begin() as session:
        return not session.scalar(select(func.count()).where(RunRow.state != "done"))


def _readiness(lab: Any) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{lab.urls[0]}/readyz").json()
    return found


def test_of_sixty_runs_one_after_another_none_waits_on_an_idle_lab(
    lab: Lab, client: rgclient.Client, database: Database
) -> None:
    lab.worker()
    until(lambda: _readiness(lab)["hearing"] == 1)
    _one_after_another(client, database, N_RUNS)
    waits = _waits(database)
    assert len(waits) == N_RUNS
    assert max(waits) < PATIENCE_S


def test_a_commit_that_takes_long_makes_no_run_wait(
    lab: Lab, client: rgclient.Client, database: Database
) -> None:
    """As on a slow disk: whatever is stored of a run takes .3 s to commit."""
    make_commits_slow(database)
    lab.worker()
    until(lambda: _readiness(lab)["hearing"] == 1)
    _one_after_another(client, database, 5)
    assert max(_waits(database)) < PATIENCE_S


def test_a_worker_whose_broker_is_dead_measures_and_is_said_not_to_hear(
    lab: Lab, client: rgclient.Client, database: Database
) -> None:
    kill_group(lab.broker)
    lab.worker()
    until(lambda: _readiness(lab)["workers"] == 1)
    begin = time.monotonic()
    client.submit(**TINIEST, seeds=1)
    assert time.monotonic() - begin < PATIENCE_S  # nor does who asks wait for the broker
    until(lambda: _all_done(database))
    assert max(_waits(database)) < PATIENCE_S
    assert _readiness(lab)["hearing"] == 0
    lab.start_broker()
    until(lambda: _readiness(lab)["hearing"] == 1)


def test_two_labs_on_one_broker_measure_their_own(
    lab: Lab, client: rgclient.Client, database: Database, postgres: str, admin: Any, template: str
) -> None:
    """Each has a worker that hears; neither takes the other's messages, or misses its own."""
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE second_lab TEMPLATE {template}"))
    url = postgres.replace("/postgres?", "/second_lab?")
    second = Database(url)
    with second.begin() as session:
        session.execute(text("UPDATE lab SET id = gen_random_uuid()"))
    assert lab_id(second) != lab_id(database)
    lab.worker()
    lab.worker(RGLAB_DATABASE_URL=url)
    until(lambda: _readiness(lab)["hearing"] == 1)
    _one_after_another(client, database, 5)
    assert max(_waits(database)) < PATIENCE_S
    assert _waits(second) == []
    lab.stop()
    second.dispose()
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE second_lab WITH (FORCE)"))

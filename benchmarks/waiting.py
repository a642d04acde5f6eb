"""`python -m benchmarks.waiting [--runs 60]`: how long a run waits for a worker on an idle lab.

Tiny runs, one after another, each submitted when the one before is measured: with a worker that
hears the broker, and with one that finds its work by looking alone.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select

from benchmarks.progress import say
from benchmarks.serving.lab import HOST, Lab, running
from benchmarks.serving.latency import Latency
from benchmarks.serving.report import latencies
from rgcontract import State
from rglab.embedded.children import Child
from rglab.embedded.lab import free_port
from rgstore.tables import AttemptRow, ExperimentRow, RunRow
from rgstore.workers import hearing, live_workers

START_SECONDS = 60.0
AIM = 1.0
"""Seconds that no run is to wait longer than."""


def main(arguments: list[str]) -> None:
    """Measure; progress on stderr, a table on stdout."""
    parser = argparse.ArgumentParser("benchmarks.waiting", description=main.__doc__)
    parser.add_argument("--runs", type=int, default=60, help="one after another")
    chosen = parser.parse_args(arguments)
    sys.stdout.write(latencies(measured(chosen.runs)) + "\n")


def measured(n: int) -> list[Latency]:
    """Seconds that runs waited, by how the worker finds them."""
    short = tempfile.TemporaryDirectory(prefix="rglab-", dir="/tmp")  # sockets live in it
    with short as directory, running(Path(directory)) as lab:
        found: list[Latency] = []
        nowhere = f"redis://{HOST}:{free_port(HOST)}/0"
        for way, broker in (("told by a message", lab.broker_url), ("by looking alone", nowhere)):
            say(way)
            first = n * len(found)  # no run is measured twice
            with _worker(lab, broker, hears=broker == lab.broker_url):
                waits = tuple(_wait(lab, 1.0 + number) for number in range(first, first + n))
            found.append(Latency(f"a run waits: {way}", waits, percentile=100, aim=AIM))
        return found


@contextmanager
def _worker(lab: Lab, broker_url: str, *, hears: bool) -> Iterator[None]:
    env = {
        "RGLAB_DATABASE_URL": lab.database_url,
        "RGLAB_BROKER_URL": broker_url,
        "RGLAB_CONCURRENCY": "1",
    }
    log = lab.directory / "logs" / "worker.log"
    child = Child("worker", ["rgworker"], log=log, env=env)

    def ready() -> bool:
        with lab.database.begin() as session:
            return bool(hearing(session) if hears else live_workers(session))

    try:
        _until(ready)
        yield
        assert child.exit_code is None, child.tail()
    finally:
        child.stop()


def _wait(lab: Lab, corr_len: float) -> float:
    """Seconds from when a run is put in line to when it is claimed, by Postgres' clock."""
    body = {
        "chain": {"n_states": 4, "corr_len": corr_len},
        "data": {"seq_len": 8},
        "model": {"context": 1, "depth": 2, "width": 8, "hidden_ratio": 1.0},
        "training": {"steps": 1, "batch_size": 4},
        "measurement": {"n_sequences": 16},
        "seeds": 1,
    }
    answer = lab.http.post("/v1/experiments", json=body)
    answer.raise_for_status()
    name = answer.json()["id"]

    def done() -> bool:
        with lab.database.begin() as session:
            return session.get_one(ExperimentRow, name).state == State.DONE

    _until(done)
    waited = func.extract("epoch", AttemptRow.started_at - RunRow.queued_at)
    with lab.database.begin() as session:
        return float(
            session.scalars(
                select(waited)
                .join(RunRow, RunRow.id == AttemptRow.run_id)
                .where(RunRow.experiment_id == name)
            ).one()
        )


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not true():
        assert time.monotonic() < deadline, f"not so within {START_SECONDS:.0f} s"
        time.sleep(0.02)


if __name__ == "__main__":
    main(sys.argv[1:])

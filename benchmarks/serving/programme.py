"""Everything that is measured of storing and serving, in the order in which it is."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import text

from benchmarks.progress import say
from benchmarks.serving import requests
from benchmarks.serving.bounds import bounds
from benchmarks.serving.filling import SEEDS, fill
from benchmarks.serving.lab import Lab, running
from benchmarks.serving.latency import Latency
from benchmarks.serving.scale import FULL, QUICK, Scale
from benchmarks.serving.writing import Stopwatch, Writer
from rglab.embedded.children import Child

RUN_SECONDS = 60.0
OVERHEAD_AIM = 0.02  # of a run of a minute
START_SECONDS = 60.0


@dataclass(frozen=True)
class Serving:
    """What was measured.

    Attributes:
        runs: that were stored before.
        megabytes: of the database then.
        latencies: of every kind of request.
        bounds: what they cannot be faster than.
        life: seconds of the database in a run's whole life, by what was done; medians.
    """

    runs: int
    megabytes: float
    latencies: tuple[Latency, ...]
    bounds: tuple[Latency, ...]
    life: dict[str, float]

    @property
    def overhead(self) -> float:
        """Share of a run of a minute."""
        return sum(self.life.values()) / RUN_SECONDS


def measured(*, quick: bool) -> Serving:
    """Fill a fresh lab and measure it; stops and removes it at the end."""
    short = tempfile.TemporaryDirectory(prefix="rglab-", dir="/tmp")  # sockets live in it
    with short as directory, running(Path(directory)) as lab:
        return _measured(lab, QUICK if quick else FULL)


def _measured(lab: Lab, scale: Scale) -> Serving:
    say(f"storing {scale.runs} runs")
    fill(lab.database_url, scale.runs)
    writer = Writer(lab.database, "probes")
    probes = []
    for _ in range(scale.probes):
        probes.append(writer.submit())
        for _ in range(SEEDS):
            writer.run()
    megabytes = _megabytes(lab)
    say("ceilings")
    found = bounds(lab, scale.requests)
    say("lists")
    latencies = requests.lists(lab.http, scale.requests)
    say("results")
    latencies += requests.reads(lab.http, probes, scale.requests)
    say("submissions")
    latencies.append(requests.submissions(lab.http, "a submission", scale.requests))
    with _writing(lab):
        name = "a submission while results are stored without a pause"
        latencies.append(requests.submissions(lab.http, name, scale.requests))
        name = "list: first page, meanwhile"
        seconds = requests.list_once(lab.http, scale.requests)
        latencies.append(Latency(name, seconds, 95, requests.LIST_AIM))
    say("many submissions at once")
    latencies += requests.bulks(lab.http, scale.bulks, scale.bulk_specs)
    say("the life of a run")
    life = _life(writer, scale.lives)
    return Serving(scale.runs, megabytes, tuple(latencies), tuple(found), life)


def _life(writer: Writer, n: int) -> dict[str, float]:
    watches: list[Stopwatch] = []
    for number in range(n):
        if number % SEEDS == 0:
            writer.submit()
        watches.append(writer.run())
    names = watches[0].seconds
    return {name: float(np.mean([watch.seconds[name] for watch in watches])) for name in names}


def _megabytes(lab: Lab) -> float:
    with lab.database.begin() as session:
        size = session.scalar(text("SELECT pg_database_size(current_database())"))
    return float(size or 0) / 2**20


@contextmanager
def _writing(lab: Lab) -> Iterator[None]:
    """Someone stores results without a pause."""
    child = Child(
        "writer",
        ["benchmarks.serving.writing", lab.database_url, "writer"],
        log=lab.directory / "logs" / "writer.log",
        env={},
    )
    try:
        _await_first(lab, child)
        yield
        assert child.exit_code is None, child.tail()
    finally:
        child.stop()


def _await_first(lab: Lab, child: Child) -> None:
    """Until its first result is there."""
    deadline = time.monotonic() + START_SECONDS
    query = text("SELECT count(*) FROM experiments WHERE owner = 'writer' AND state = 'done'")
    while True:
        with lab.database.begin() as session:
            if session.scalar(query):
                return
        assert child.exit_code is None, child.tail()
        assert time.monotonic() < deadline, child.tail()
        time.sleep(0.1)

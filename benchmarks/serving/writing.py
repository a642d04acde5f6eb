"""Runs from the line to their result, as workers store them.

`python -m benchmarks.serving.writing URL LABEL` does nothing else until it is stopped.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from benchmarks.serving.records import record_of
from rgcontract import Submission
from rgcore.statistics import RunSummary, summarise_runs
from rgstore import claiming, heartbeats, judging, measurements
from rgstore.claiming import Claim, Holder
from rgstore.database import Database
from rgstore.heartbeats import TrainingProgress
from rgstore.orphan import exit_with_parent
from rgstore.records import RunRecord
from rgstore.submissions import submit

LEASE_SECONDS = 30.0
HEARTBEATS = 30
"""In a run of a minute, one every two seconds."""
DEVICE = "cuda"
"""What nobody else in a benchmark waits for: a claim takes these runs and no others."""
HOLDER = Holder(
    "bench/1", "bench", "localhost", DEVICE, {"torch": "2"}, {"drift": True}, kind=DEVICE
)


@dataclass
class Stopwatch:
    """Seconds by what was done."""

    seconds: dict[str, float] = field(default_factory=dict)

    def time(self, name: str, work: Callable[[], Any]) -> Any:
        """Do something and add how long it took."""
        begin = time.perf_counter()
        found = work()
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begin
        return found


class Writer:
    """Submits experiments of the default size and stores the same record for each run of them.

    Attributes:
        record: what each stores.
    """

    def __init__(self, database: Database, label: str) -> None:
        """The label tells its specs from those of others."""
        self._database, self._label = database, label
        self.record: RunRecord = record_of(Submission.model_validate_json("{}").spec)
        self._next = 0

    def submit(self) -> str:
        """One experiment of three runs; returns its name."""
        self._next += 1
        body = {
            "chain": {"seed": 2**30 + self._next},
            "data": {"mask_prob": 0.15 + 1e-6 * (hash(self._label) % 1000)},
            "label": self._label,
            "priority": 10,
            "device": DEVICE,
        }
        submission = Submission.model_validate_json(json.dumps(body))
        with self._database.begin() as session:
            stored = submit(
                session, submission, owner=self._label, attempt_limit=3, body_hash="",
                flops_per_run=1e12,
            )  # fmt: skip
        return stored.experiment_id

    def run(self) -> Stopwatch:
        """Claim a run, keep it for a minute's heartbeats, store it; no time passes between them."""
        watch = Stopwatch()
        claim = watch.time("claim", self._claim)
        for beat in range(HEARTBEATS):
            progress = TrainingProgress("training", beat / HEARTBEATS, beat, 1.5)
            watch.time("heartbeats", partial(self._beat, claim, progress))
        watch.time("store", lambda: self._store(claim, watch))
        watch.seconds["store"] -= watch.seconds["summaries"]
        return watch

    def write(self, n: int) -> None:
        """Store so many runs, three to an experiment, without heartbeats."""
        for number in range(n):
            if number % 3 == 0:
                self.submit()
            self._store(self._claim(), Stopwatch())

    def _claim(self) -> Claim:
        with self._database.begin() as session:
            (claim,) = claiming.claim_fleet(
                session, HOLDER, lease_seconds=LEASE_SECONDS, size_of=lambda _: 1, share=1
            )
        return claim

    def _beat(self, claim: Claim, progress: TrainingProgress) -> None:
        with self._database.begin() as session:
            heartbeats.heartbeat(session, [(claim, progress)], lease_seconds=LEASE_SECONDS)

    def _store(self, claim: Claim, watch: Stopwatch) -> None:
        def timed(*rows: Any, **options: Any) -> RunSummary:
            found: RunSummary = watch.time("summaries", lambda: summarise_runs(*rows, **options))
            return found

        def put(session: Session) -> None:
            measurements.store(session, claim, self.record, timed)
            judging.mark_due(session, claim.experiment_id, claim.seed)

        with self._database.begin() as session:
            put(session)


def main(database_url: str, label: str) -> None:
    """Submit and store until the end of the supervisor."""
    exit_with_parent()
    writer = Writer(Database(database_url, pool_size=2), label)
    while True:
        writer.write(3)


if __name__ == "__main__":
    main(*sys.argv[1:])

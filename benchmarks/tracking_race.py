"""Writing and searching runs: RGLab's store and API beside two trackers on the same Postgres.

Trackers are given the parameters and the observables of one number. RGLab stores these and, with
the same write, what a tracker has no place for: series by layer, spectra, the loss curve, the
attempt, and the mean and error over the seeds of an experiment. What RGLab's search hands over is
the parameters and the state; observables are asked for by experiment.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import trackers
from benchmarks.effort import Effort
from benchmarks.gate import same_numbers
from benchmarks.race import CALL, STORED_RUN, NoRace, Race, RefusedError
from benchmarks.serving.bounds import bounds
from benchmarks.serving.lab import Lab, running
from benchmarks.serving.records import record_of
from benchmarks.serving.writing import Writer
from benchmarks.timing import Timing, interleave, repeated
from benchmarks.trackers import PAGE, Tracked, Tracker
from rgcontract import ExperimentSpec, Submission

WRITE, SEARCH = "store runs", "search runs"
KINDS = {"MLflow": trackers.mlflow, "Optuna": trackers.optuna}
BOUND = {WRITE: "COPY of as many numbers", SEARCH: "SELECT 1"}
DIFFERENCE = {
    WRITE: "RGLab also series, spectra, curve, errors",
    SEARCH: "as many runs; RGLab's without observables",
}
NUMBERS_OF_A_ROW = 64
"""In the rows of the COPY that is the ceiling."""
BOUND_REQUESTS = 50
SEEDS = 3
"""Runs of an experiment."""


def race(effort: Effort) -> list[Race | NoRace]:
    """Both races beside both trackers."""
    short = tempfile.TemporaryDirectory(prefix="rglab-", dir="/tmp")  # sockets live in it
    with short as directory, running(Path(directory)) as lab:
        writer = Writer(lab.database, "bench")
        rows: list[Race | NoRace] = []
        for name, started in KINDS.items():
            try:
                with started(lab.database_url, lab.directory) as tracker:
                    rows += _races(lab, writer, tracker, effort)
            except RefusedError as error:
                rows += [NoRace(what, "", name, str(error)) for what in (WRITE, SEARCH)]
        return rows


def _races(lab: Lab, writer: Writer, tracker: Tracker, effort: Effort) -> list[Race]:
    run = _tracked(Submission.model_validate_json("{}").spec)
    n = effort.tracked

    def write() -> None:
        tracker.write([replace(run)] * n)

    written = interleave(
        {
            "ours": repeated(lambda: writer.write(n), units=n),
            "theirs": repeated(write, units=n),
        },
        effort.rounds,
    )
    stored = n * (effort.rounds + 1)
    expected = min(PAGE, stored)
    ours, theirs = _search(lab, expected), tracker.search
    for search in (ours, theirs):
        same_numbers(search(), expected, SEEDS, "the number of runs found")
    found = interleave({"ours": repeated(ours, times=3), "theirs": repeated(theirs)}, effort.rounds)
    ceilings = {one.name: one.seconds for one in bounds(lab, BOUND_REQUESTS)}
    copied = next(seconds for name, seconds in ceilings.items() if "COPY" in name)
    values = len(run.parameters) + len(run.scalars)
    row_cost = Timing(tuple(cost * values / NUMBERS_OF_A_ROW for cost in copied))
    asked = Timing(next(seconds for name, seconds in ceilings.items() if "SELECT 1" in name))
    shared = f"{len(run.parameters)} parameters, {len(run.scalars)} observables"

    def row(what: str, size: str, unit: Any, timings: dict[str, Timing], least: Timing) -> Race:
        return Race(
            name=what,
            shape=f"{size}, {shared}",
            members=1,
            cores=1,
            unit=unit,
            peer=tracker.name,
            ours=timings["ours"],
            theirs=timings["theirs"],
            ceiling=least,
            bound=BOUND[what],
            check=DIFFERENCE[what],
        )

    return [
        row(WRITE, f"{n} at a time", STORED_RUN, written, row_cost),
        row(SEARCH, f"{expected} of {stored}", CALL, found, asked),
    ]


def _search(lab: Lab, runs: int) -> Callable[[], int]:
    """Experiments of a depth, newest first, until they have so many runs."""
    limit = -(-runs // SEEDS)

    def search() -> int:
        answer = lab.http.get(f"/v1/experiments?depth=8&limit={limit}")
        answer.raise_for_status()
        return SEEDS * len(answer.json()["items"])

    return search


def _tracked(spec: ExperimentSpec) -> Tracked:
    """What a tracker is given of a run of a spec."""
    found: dict[str, float] = {}
    for one in record_of(spec).quantities:
        if len(one.values) == 1 and one.values[0] is not None:
            found[f"{one.when}/{one.level}/{one.quantity}"] = float(one.values[0])
    return Tracked(_flat(json.loads(spec.model_dump_json())), found)


def _flat(tree: Any, name: str = "") -> dict[str, str | float]:
    """Leaves by dotted name; numbers as floats, the rest as text."""
    if isinstance(tree, dict):
        parts = [_flat(branch, f"{name}.{key}".lstrip(".")) for key, branch in tree.items()]
        return {key: value for part in parts for key, value in part.items()}
    if isinstance(tree, int | float) and not isinstance(tree, bool):
        return {name: float(tree)}
    return {name: str(tree)}

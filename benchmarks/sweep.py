"""A sweep through a lab of its own, from submission to the last result, beside single runs."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.effort import Effort
from benchmarks.progress import say
from benchmarks.race import RefusedError
from benchmarks.shapes import SHAPES
from rgclient import Client, RGLabError
from rglab.embedded.lab import LabError, running_lab
from rgstore.settings import Settings

SEEDS = 4
SHAPE = SHAPES["S"]
MEASURED = 512
"""Sequences: the lab is measured here, not the observables."""
POLL = 0.1  # s
PATIENCE = 600.0  # s


@dataclass(frozen=True)
class Sweep:
    """What a sweep took.

    Attributes:
        runs: of the sweep.
        steps: of each.
        seconds: from its submission to its last result.
        singles: seconds of each of some runs that were asked for one after another, each waited
            for before the next; as large as those of the sweep.
        cores: of the machine.
    """

    runs: int
    steps: int
    seconds: float
    singles: tuple[float, ...]
    cores: int

    @property
    def in_turn(self) -> float:
        """Seconds that all runs would take one after another: by the mean of `singles`."""
        return self.runs * sum(self.singles) / len(self.singles)

    @property
    def ratio(self) -> float:
        """How many times as long."""
        return self.in_turn / self.seconds


def sweep(effort: Effort, cores: int) -> Sweep:
    """Correlation lengths with four seeds each, in one request.

    Half of the single runs go before it and half after, so that a machine that slows down meets
    both alike.

    Raises:
        RefusedError: the lab does not start, or does not measure.
    """
    try:
        with _client() as client:
            return _swept(client, effort, cores)
    except (LabError, RGLabError) as error:
        raise RefusedError(str(error)) from error


def _swept(client: Client, effort: Effort, cores: int) -> Sweep:
    corr_lens = np.round(np.geomspace(0.5, 20.0, effort.sweep_points), 3).tolist()
    half = effort.sweep_singles // 2
    _single(client, effort, 0)  # starts trainers
    singles = [_single(client, effort, number) for number in range(1, half + 1)]
    begin = time.perf_counter()
    specs = [{**_spec(effort), "corr_len": xi, "seeds": SEEDS} for xi in corr_lens]
    for asked in client.submit_many(specs):
        asked.wait(PATIENCE, progress=False, poll=POLL)
    seconds = time.perf_counter() - begin
    rest = range(half + 1, effort.sweep_singles + 1)
    singles += [_single(client, effort, number) for number in rest]
    runs = SEEDS * effort.sweep_points
    return Sweep(runs, effort.sweep_steps, seconds, tuple(singles), cores)


def _single(client: Client, effort: Effort, number: int) -> float:
    """Seconds of one run, of a chain that the sweep does not have."""
    begin = time.perf_counter()
    asked = client.submit(**_spec(effort), corr_len=1.0 + number / 128, seeds=[100 + number])
    asked.wait(PATIENCE, progress=False, poll=POLL)
    return time.perf_counter() - begin


def _spec(effort: Effort) -> dict[str, Any]:
    return {
        "n_states": SHAPE.n_states,
        "seq_len": SHAPE.seq_len,
        "depth": SHAPE.depth,
        "width": SHAPE.width,
        "steps": effort.sweep_steps,
        "n_sequences": MEASURED,
    }


@contextmanager
def _client() -> Iterator[Client]:
    """Of a lab in a directory with a short path: sockets live in it."""
    with tempfile.TemporaryDirectory(prefix="rglab-", dir="/tmp") as directory:
        settings = Settings(data_dir=Path(directory), port=0)
        with running_lab(settings, say) as lab, Client(lab.url, lab.token) as client:
            yield client

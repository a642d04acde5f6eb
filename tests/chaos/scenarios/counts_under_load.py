"""Very many runs at once: the workers that are there are counted as such throughout."""

from __future__ import annotations

import re
import threading
import time

import httpx
from lab_processes import TINY, until

from tests.chaos.lab import ChaosLab, chaos_lab
from tests.chaos.scenario import Effort, Scenario, Seen

WORKERS = 2
SEEDS = 50
"""Of an experiment."""


def _run(effort: Effort) -> Seen:
    n_runs = 10_000 if effort.quick else 25_000
    with chaos_lab(effort.directory) as lab:
        for _ in range(WORKERS):
            lab.worker(RGLAB_MAINTENANCE_SECONDS="5")
        until(lambda: _counts(lab) == [WORKERS] * 4)
        stop, seen = threading.Event(), list[list[int] | str]()
        watching = threading.Thread(target=_watch, args=(lab, stop, seen))
        watching.start()
        try:
            _submit_study(lab, n_runs // SEEDS)
            time.sleep(30 if effort.quick else 240)
        finally:
            stop.set()
            watching.join()
    wrong = [counts for counts in seen if counts != [WORKERS] * 4]
    return Seen(
        held=seen != [] and not wrong,
        what=f"{n_runs:,} runs in line; asked {len(seen)} times, wrong {len(wrong)} times"
        + (f", such as {wrong[0]}" if wrong else ""),
    )


def _submit_study(lab: ChaosLab, experiments: int) -> None:
    """A grid of one shape: its findings are written anew again and again while it is measured."""
    lengths = [1.0 + number / 1000 for number in range(experiments)]
    chain = {**TINY["chain"], "corr_len": lengths}
    answer = httpx.post(
        f"{lab.url}/v1/studies",
        headers={"Authorization": f"Bearer {lab.token('tester')}"},
        json={**TINY, "chain": chain, "seeds": SEEDS},
        timeout=300,
    )
    answer.raise_for_status()


def _watch(lab: ChaosLab, stop: threading.Event, seen: list[list[int] | str]) -> None:
    """Look every second; a look that fails is a wrong one, and says why."""
    while not stop.wait(1):
        try:
            seen.append(_counts(lab))
        except (httpx.HTTPError, KeyError, ValueError) as error:
            seen.append(repr(error))


def _counts(lab: ChaosLab) -> list[int]:
    """Workers that are there, and that hear: of readiness, and of the metrics."""
    ready = httpx.get(f"{lab.url}/readyz", timeout=60).json()
    metrics = httpx.get(f"{lab.url}/metrics", timeout=60).text
    shown = re.findall(r"^rglab_workers(?:_hearing)? (\d+)", metrics, re.MULTILINE)
    return [ready["workers"], ready["hearing"], *map(int, shown)]


SCENARIO = Scenario(
    "a study of very many runs",
    f"readiness and metrics count {WORKERS} workers throughout",
    _run,
)

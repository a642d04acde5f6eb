"""Very many clients that stall, beside honest people."""

from __future__ import annotations

import asyncio
import resource
from collections import Counter

from tests.chaos import honest, slow
from tests.chaos.lab import ChaosLab, chaos_lab, resident_bytes
from tests.chaos.scenario import Effort, Scenario, Seen

MANY = 2_000
HONEST = 5
SLOW = 10
"""People whose bodies stall."""
MOST_MS = 300.0
MOST_BYTES = 300 * 2**20
"""By which the API may grow: 64 KiB of each body, and what a connection takes."""
PATIENCE = 90.0
"""Seconds until the last of them is closed."""


def _run(effort: Effort) -> Seen:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with chaos_lab(effort.directory) as lab:
        return asyncio.run(_beside(lab, seconds=10 if effort.quick else 30))


async def _beside(lab: ChaosLab, seconds: float) -> Seen:
    people = [lab.token(f"honest{number}") for number in range(HONEST)]
    sluggards = [lab.token(f"slow{number}") for number in range(SLOW)]
    before = await honest.work(lab.url, people, seconds, first=0)
    rss = resident_bytes(lab.server.pid)
    held = asyncio.Event()
    stalled = asyncio.create_task(slow.stall(lab.url, sluggards, MANY, held))
    await asyncio.wait_for(held.wait(), PATIENCE)
    beside = await honest.work(lab.url, people, seconds, first=1000)
    grown = resident_bytes(lab.server.pid) - rss
    try:
        closed = await asyncio.wait_for(stalled, PATIENCE)
    except TimeoutError:
        closed = Counter()
    return Seen(
        not before.failed
        and not beside.failed
        and beside.at(99) < MOST_MS
        and grown < MOST_BYTES
        and closed.total() == MANY,
        f"honest p50/p95/p99 {before} without, {beside} with; API grew by "
        f"{grown / 2**20:.0f} MiB; closed within {PATIENCE:.0f} s: {dict(closed)}"
        + "".join(f"; {one}" for one in [*before.failed, *beside.failed][:2]),
    )


SCENARIO = Scenario(
    f"{MANY:,} clients that stall",
    f"{HONEST} honest people have p99 < {MOST_MS:.0f} ms; the API grows by less than "
    f"{MOST_BYTES // 2**20} MiB; every one is closed",
    _run,
)

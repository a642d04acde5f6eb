"""Hostile bodies, very many at once, beside honest people."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from multiprocessing import get_context

from tests.chaos import honest, hostile
from tests.chaos.hostile import Answers
from tests.chaos.lab import ChaosLab, chaos_lab, resident_bytes
from tests.chaos.scenario import Effort, Scenario, Seen

AT_ONCE = 500
HONEST = 20
HOSTILE = 10
"""People who send them."""
WARM_SECONDS = 3.0
MOST_MS = 300.0
MOST_BYTES = 64 * 1024 + 1024
"""Of an answer, head and body."""


def _run(effort: Effort) -> Seen:
    with chaos_lab(effort.directory) as lab:
        return asyncio.run(_beside(lab, seconds=15 if effort.quick else 60))


async def _beside(lab: ChaosLab, seconds: float) -> Seen:
    people = [lab.token(f"honest{number}") for number in range(HONEST)]
    attackers = [lab.token(f"hostile{number}") for number in range(HOSTILE)]
    await honest.work(lab.url, people, WARM_SECONDS, first=5_000)  # connections are opened
    before = await honest.work(lab.url, people, seconds, first=0)
    rss = resident_bytes(lab.server.pid)
    # a process of its own, which gives way: who attacks has a machine of their own to compute on
    spawned = get_context("spawn")
    with ProcessPoolExecutor(1, spawned, initializer=os.nice, initargs=(10,)) as elsewhere:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(elsewhere, _there)
        flood = partial(_flood, lab.url, attackers, seconds)
        sent = loop.run_in_executor(elsewhere, flood)
        beside = await honest.work(lab.url, people, seconds, first=1000)
        answers = await sent
    held = (
        not before.failed and not beside.failed
        and beside.at(99) < MOST_MS
        and answers.largest <= MOST_BYTES
        and not answers.statuses.keys() & {"500", "nothing"}
    )  # fmt: skip
    statuses = ", ".join(f"{count} x {status}" for status, count in answers.statuses.most_common())
    return Seen(
        held,
        f"honest p50/p95/p99 {before} without, {beside} with; {statuses}; largest answer "
        f"{answers.largest} bytes; API {rss / 2**20:.0f} -> "
        f"{resident_bytes(lab.server.pid) / 2**20:.0f} MiB"
        + "".join(f"; {one}" for one in [*before.failed, *beside.failed][:2]),
    )


def _there() -> None:
    """Nothing: the process has started and imported all that it needs."""


def _flood(url: str, tokens: list[str], seconds: float) -> Answers:
    """Wave after wave, so long as the honest are at work; the last is cut off."""
    told = Answers()

    async def waves() -> None:
        while True:
            await hostile.flood(url, tokens, AT_ONCE, told)

    async def main() -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(waves(), seconds)

    asyncio.run(main())
    return told


SCENARIO = Scenario(
    f"{AT_ONCE} hostile bodies at once, wave after wave",
    f"{HONEST} honest people have p99 < {MOST_MS:.0f} ms, no answer is over 64 KiB",
    _run,
)

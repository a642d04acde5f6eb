"""People who use the lab as it is meant: each reads a page, submits, reads what became of it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx
import numpy as np
from lab_processes import TINY

PAUSE_SECONDS = 1.0
"""Between two steps of a person."""


@dataclass
class Waits:
    """How long answers took, and those that were none."""

    seconds: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def at(self, percentile: float) -> float:
        """Milliseconds within which so many per cent came."""
        return 1000.0 * float(np.percentile(self.seconds, percentile))

    def __str__(self) -> str:
        shown = "/".join(f"{self.at(percentile):.0f}" for percentile in (50, 95, 99))
        return f"{shown} ms of {len(self.seconds)}"


async def work(url: str, tokens: Sequence[str], seconds: float, first: int) -> Waits:
    """Have each of these people use the lab for so long.

    Args:
        url: of the API.
        tokens: one of each person.
        seconds: how long.
        first: number of the first spec, so that no two calls ask for the same.
    """
    waits = Waits()
    async with asyncio.TaskGroup() as group:
        for number, token in enumerate(tokens):
            begin = PAUSE_SECONDS * number / len(tokens)
            spec = first + 10_000 * number
            group.create_task(_one(url, token, begin, begin + seconds, spec, waits))
    return waits


async def _one(url: str, token: str, begin: float, end: float, spec: int, waits: Waits) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    until = time.monotonic() + end
    await asyncio.sleep(begin)
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as http:
        while time.monotonic() < until:
            await _timed(http, "GET", "/v1/experiments?limit=20", None, waits)
            chain = {**TINY["chain"], "corr_len": 1.0 + spec / 1e6}
            made = await _timed(http, "POST", "/v1/experiments", {**TINY, "chain": chain}, waits)
            if made is not None:
                await _timed(http, "GET", f"/v1/experiments/{made['id']}", None, waits)
            spec += 1


async def _timed(
    http: httpx.AsyncClient, method: str, path: str, body: object, waits: Waits
) -> dict[str, object] | None:
    content = None if body is None else json.dumps(body)
    begun = time.monotonic()
    try:
        answer = await http.request(method, path, content=content)
    except httpx.TransportError as error:
        waits.failed.append(f"{method} {path}: {error!r}")
        return None
    waits.seconds.append(time.monotonic() - begun)
    await asyncio.sleep(PAUSE_SECONDS)
    if not answer.is_success:
        waits.failed.append(f"{method} {path}: {answer.status_code}")
        return None
    found: dict[str, object] = answer.json()
    return found

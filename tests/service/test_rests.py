"""Who computes beside the event loop leaves it room."""

from __future__ import annotations

import asyncio
import time

from rgservice.http.apart import REST, Apart


def test_there_is_a_rest_after_a_body_while_others_wait() -> None:
    moments: list[float] = []

    def read() -> None:
        moments.append(time.monotonic())
        while time.monotonic() < moments[-1] + 0.02:
            pass
        moments.append(time.monotonic())

    async def two() -> None:
        apart = Apart()
        await asyncio.gather(apart.read("ann", read), apart.read("bob", read))

    asyncio.run(two())
    begun, ended, begun_next, _ = moments
    assert begun_next - ended >= REST * (ended - begun)

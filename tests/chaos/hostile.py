"""Bodies that are made to be dear, and who sends very many of them at once."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

MATRIX = {"family": "explicit", "matrix": [["x"] * 128] * 128}
MANY = {f"field{number}": 1 for number in range(55_000)}
_CHEAP = {"chain": {"family": "ring"}}


def _bodies() -> Mapping[str, tuple[str, bytes]]:
    deep = "[" * 100_000
    sent: dict[str, tuple[str, Any]] = {
        "a matrix of texts": ("experiments", {"chain": MATRIX}),
        "55,000 unknown fields": ("experiments", MANY),
        "unknown fields in a section": ("experiments", {"model": MANY}),
        "a study of texts": ("studies", {"chain": MATRIX, "model": {"depth": [2, 3, 4, 5]}}),
        "500 cells of texts": (
            "studies",
            {"chain": MATRIX, "model": {"depth": [*range(2, 22)]},
             "training": {"batch_size": [*range(1, 26)]}},
        ),
        "a grid of 2 million": (
            "studies",
            {"seeds": 64, "chain": {"seeds": 64}, "training": {"steps": [*range(1, 501)]}},
        ),
        "2,000 wrong submissions": ("experiments/bulk", {"experiments": [{"model": 7}] * 2_000}),
        "300 matrices": (
            "experiments/bulk",
            {"experiments": [{"chain": {"family": "explicit", "matrix": [[0.1] * 16] * 16}}] * 300},
        ),
        "very many seeds": ("experiments", {"seeds": [1] * 200_000}),
        "a long text": ("experiments", {"label": "x" * 900_000}),
        "a long number": ("experiments", {"chain": {"corr_len": 10**4000}}),
    }  # fmt: skip
    found = {
        name: (f"/v1/{path}", json.dumps(body).encode()) for name, (path, body) in sent.items()
    }
    found["deep nesting"] = ("/v1/experiments", b'{"chain": ' + deep.encode())
    return found


BODIES = _bodies()
"""Name -> path and body."""


@dataclass
class Answers:
    """What was answered to them."""

    statuses: Counter[str] = field(default_factory=Counter)
    largest: int = 0
    """Bytes of the largest answer."""


async def flood(url: str, tokens: Sequence[str], many: int, answers: Answers) -> None:
    """Send so many at once, each on a connection of its own; the people take turns."""
    bodies = list(BODIES.values())
    async with asyncio.TaskGroup() as group:
        for number in range(many):
            path, body = bodies[number % len(bodies)]
            group.create_task(_send(url, tokens[number % len(tokens)], path, body, answers))


async def _send(url: str, token: str, path: str, body: bytes, answers: Answers) -> None:
    """One request as bytes: whoever attacks is not held up by a client of ours."""
    at = urlsplit(url)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {at.hostname}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    try:
        reader, writer = await asyncio.open_connection(at.hostname, at.port)
        writer.write(head.encode() + body)
        answer = await reader.read()
        writer.close()
    except ConnectionError as error:
        answers.statuses[type(error).__name__] += 1
        return
    answers.statuses[answer[9:12].decode() or "nothing"] += 1
    answers.largest = max(answers.largest, len(answer))

"""Clients that stall: in a head, in a body, after an answer; each keeps a connection."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from urllib.parse import urlsplit

PIECE = b'{"label": "' + b"x" * 60_000


async def stall(url: str, tokens: Sequence[str], many: int, held: asyncio.Event) -> Counter[str]:
    """Open so many connections that stall, in three ways by turns, until the server closes them.

    Args:
        url: of the API.
        tokens: of those whose bodies stall.
        many: connections.
        held: set when all of them are open.

    Returns:
        How each began -> those that the server closed.
    """
    at = urlsplit(url)
    host = f"Host: {at.hostname}\r\n"
    begun: list[tuple[str, asyncio.StreamReader, asyncio.StreamWriter]] = []
    for number in range(many):
        token = tokens[number % len(tokens)]
        ways = {
            "a head": f"GET /v1/experiments HTTP/1.1\r\n{host}X: ".encode(),
            "a body": f"POST /v1/experiments HTTP/1.1\r\n{host}Authorization: Bearer {token}\r\n"
            "Content-Type: application/json\r\nContent-Length: 900000\r\n\r\n".encode()
            + PIECE,
            "an answer": f"GET /healthz HTTP/1.1\r\n{host}\r\n".encode(),
        }
        way = [*ways][number % len(ways)]
        reader, writer = await asyncio.open_connection(at.hostname, at.port)
        writer.write(ways[way])
        begun.append((way, reader, writer))
    held.set()
    closed: Counter[str] = Counter()
    for way, reader, writer in begun:
        await _end(reader)
        writer.close()
        closed[way] += 1
    return closed


async def _end(reader: asyncio.StreamReader) -> None:
    """Until the other side closes."""
    try:
        while await reader.read(65_536):
            pass
    except ConnectionError:
        return

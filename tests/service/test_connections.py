"""Connections that stall are closed, and keep nobody out."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import anyio
import httpx
import pytest
import uvicorn
from starlette.requests import Request

from rgservice.http.body import read_body
from rgservice.http.connections import TimedProtocol
from rgservice.http.errors import TooSlow

MANY = 200


class Impatient(TimedProtocol):
    head_seconds = 0.3


async def _answers(scope: Any, receive: Any, send: Any) -> None:
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"here"})


@pytest.fixture
def port() -> Iterator[int]:
    """Of a server that waits a third of a second for the head of a request."""
    config = uvicorn.Config(
        _answers, port=0, http=Impatient, log_config=None, lifespan="off", timeout_keep_alive=60
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0), backlog=2 * MANY) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join(30)


BEGUN = {
    "half a line": b"GET / HT",
    "half a head": b"GET / HTTP/1.1\r\nHost: here\r\nX: ",
    "all but the end of a head": b"GET / HTTP/1.1\r\nHost: here\r\n",
}


@pytest.mark.parametrize("sent", [b"", *BEGUN.values()], ids=["nothing", *BEGUN])
def test_a_head_that_does_not_come_ends_the_connection(port: int, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as stalled:
        stalled.sendall(sent)
        assert _is_closed(stalled)


@pytest.mark.parametrize("sent", BEGUN.values(), ids=BEGUN.keys())
def test_so_it_does_after_a_request(port: int, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as stalled:
        stalled.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        _read_answer(stalled)
        stalled.sendall(sent)
        assert _is_closed(stalled)


def test_a_body_that_is_answered_before_its_end_has_to_end(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as stalled:
        stalled.sendall(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\n1")
        _read_answer(stalled)
        stalled.sendall(b"2")  # by this alone it would stay open for ever
        assert _is_closed(stalled)


def test_one_that_does_end_keeps_its_connection(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as used:
        for _ in range(3):
            used.sendall(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\n1")
            assert _read_answer(used).startswith(b"HTTP/1.1 200")
            used.sendall(b"2")


def _is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1000) == b""
    except ConnectionResetError:
        return True


def _read_answer(connection: socket.socket) -> bytes:
    answer = b""
    while not answer.endswith(b"0\r\n\r\n"):
        answer += connection.recv(1000)
    return answer


def test_a_request_in_pieces_is_answered_and_the_connection_kept(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as used:
        for _ in range(3):
            for piece in (b"GET / HTTP/1.1\r\n", b"Host: here\r\n", b"\r\n"):
                used.sendall(piece)
            assert _read_answer(used).startswith(b"HTTP/1.1 200")


def test_others_are_answered_while_many_stall(port: int) -> None:
    stalled = [socket.create_connection(("127.0.0.1", port)) for _ in range(MANY)]
    try:
        for one in stalled:
            one.sendall(b"GET / HT")
        assert httpx.get(f"http://127.0.0.1:{port}/").text == "here"
    finally:
        for one in stalled:
            one.close()


def test_a_body_that_pauses_is_refused() -> None:
    messages = [{"type": "http.request", "body": b"{", "more_body": True}]

    async def receive() -> Any:
        if messages:
            return messages.pop()
        await anyio.sleep_forever()
        raise AssertionError

    headers = [(b"content-type", b"application/json")]
    request = Request({"type": "http", "method": "POST", "headers": headers}, receive)
    with pytest.raises(TooSlow, match=r"without a pause of 0\.05"):
        anyio.run(lambda: read_body(request, limit=100, setting="", pause_seconds=0.05))

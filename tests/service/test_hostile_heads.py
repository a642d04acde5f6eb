"""What is no request, or two in one, is answered once, as a problem, and the connection ends."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import h11
import pytest
import uvicorn

from rgservice.app import create_app
from rgservice.http.connections import TimedProtocol
from rgservice.http.safety import SAFE
from rgstore.settings import Settings

TOO_LONG = 65_540
"""Bytes of a head that has no end; little more is sent, so that nothing is left unread."""
HOST = b"Host: testserver\r\n"
POST = b"POST /v1/experiments HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
NO_HTTP: dict[str, tuple[bytes, int, str]] = {
    "a method alone": (b"GET\r\n\r\n", 400, "invalid_request"),
    "no version": (b"GET /healthz\r\n\r\n", 400, "invalid_request"),
    "another version": (b"GET /healthz HTTP/two\r\n" + HOST + b"\r\n", 400, "invalid_request"),
    "a blank in the address": (b"GET /health z HTTP/1.1\r\n" + HOST + b"\r\n", 400,
                               "invalid_request"),
    "NUL in the address": (b"GET /\x00 HTTP/1.1\r\n" + HOST + b"\r\n", 400, "invalid_request"),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 32 + b"\r\n\r\n", 400,
            "invalid_request"),
    "NUL in a header": (b"GET / HTTP/1.1\r\n" + HOST + b"X: a\x00b\r\n\r\n", 400,
                        "invalid_request"),
    "a header without a name": (b"GET / HTTP/1.1\r\n" + HOST + b": x\r\n\r\n", 400,
                                "invalid_request"),
    "a blank before the colon": (b"GET / HTTP/1.1\r\n" + HOST + b"X : x\r\n\r\n", 400,
                                 "invalid_request"),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400, "invalid_request"),
    "two hosts": (b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n", 400, "invalid_request"),
    "lengths that differ": (POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400,
                            "invalid_request"),
    "a length below zero": (POST + b"Content-Length: -2\r\n\r\n{}", 400, "invalid_request"),
    "a length with a sign": (POST + b"Content-Length: +2\r\n\r\n{}", 400, "invalid_request"),
    "a length of words": (POST + b"Content-Length: two\r\n\r\n{}", 400, "invalid_request"),
    "another coding": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400,
                       "invalid_request"),
    "a long header": (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"x" * TOO_LONG, 431,
                      "head_too_large"),
    "many headers": (b"GET / HTTP/1.1\r\n" + HOST + b"X: x\r\n" * (TOO_LONG // 6), 431,
                     "head_too_large"),
    "a long address": (b"GET /" + b"x" * TOO_LONG, 431,
                       "head_too_large"),
}  # fmt: skip
TWO_IN_ONE = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
HTTP: dict[str, tuple[bytes, int, str]] = {
    "a length and chunks": (POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
                            b"0\r\n\r\n" + TWO_IN_ONE, 400, "invalid_request"),
    "two tokens": (b"GET /v1/me HTTP/1.1\r\n" + HOST + b"Authorization: Bearer a\r\n"
                   b"Authorization: Bearer b\r\n\r\n" + TWO_IN_ONE, 400, "invalid_request"),
    "another host in the address": (b"GET http://example.invalid/v1/me HTTP/1.1\r\n" + HOST
                                    + b"Connection: close\r\n\r\n", 404, "not_found"),
    "our host in the address and another beside it": (
        b"GET http://testserver/v1/me HTTP/1.1\r\nHost: elsewhere\r\nConnection: close\r\n\r\n",
        421, "wrong_host"),
    "a tunnel": (b"CONNECT example.invalid:443 HTTP/1.1\r\n" + HOST
                 + b"Connection: close\r\n\r\n", 404, "not_found"),
    "no address": (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n", 404,
                   "not_found"),
    "a method that there is not": (b"BREW /v1/me HTTP/1.1\r\n" + HOST
                                   + b"Connection: close\r\n\r\n", 405, "method_not_allowed"),
    "a trace": (b"TRACE /v1/me HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n", 405,
                "method_not_allowed"),
}  # fmt: skip
"""What is HTTP and yet refused before anything is asked of the lab."""
ALL = NO_HTTP | HTTP


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Of the API on a socket, which has no database to ask."""
    settings = Settings(
        database_url="postgresql://nobody@127.0.0.1:1/none", broker_url="redis://127.0.0.1:1",
        allowed_hosts="testserver",
    )  # fmt: skip
    app = create_app(settings, lambda _: None)
    config = uvicorn.Config(app, port=0, http=TimedProtocol, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join(30)


@pytest.mark.parametrize(("sent", "status", "code"), ALL.values(), ids=ALL.keys())
def test_it_is_answered_once_as_a_problem(port: int, sent: bytes, status: int, code: str) -> None:
    head, body, rest = _answer(port, sent)
    assert (head.status_code, body["code"], body["status"]) == (status, code, status)
    headers = dict(head.headers)
    assert headers[b"content-type"] == b"application/problem+json"
    assert {name: headers.get(name.lower().encode()) for name in SAFE} == {
        name: value.encode() for name, value in SAFE.items()
    }
    assert rest == b""


def _answer(port: int, sent: bytes) -> tuple[h11.Response, dict[str, Any], bytes]:
    """The first answer, and what came after it until the connection ended."""
    reading = h11.Connection(h11.CLIENT)
    reading.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    reading.send(h11.EndOfMessage())
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(sent)
        head: h11.Response | None = None
        body = b""
        while True:
            match reading.next_event():
                case h11.NEED_DATA:
                    reading.receive_data(connection.recv(65_536))
                case h11.Response() as begun:
                    head = begun
                case h11.Data(data=data):
                    body += data
                case h11.EndOfMessage():
                    break
        assert head is not None
        return head, json.loads(body), reading.trailing_data[0] + connection.recv(65_536)

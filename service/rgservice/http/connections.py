"""Connections that say nothing are closed: none of them keeps another one out."""

from __future__ import annotations

import asyncio
import resource
import socket
import sys
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from rgcontract.problem import MEDIA_TYPE
from rgservice.http.errors import ApiError, HeadTooLarge, InvalidRequest
from rgservice.http.safety import SAFE

MOST_OPEN = 65_536
"""Files and connections; some systems grant no end of them, and take none for a number."""


class TimedProtocol(H11Protocol):
    """HTTP/1.1 in which the head of a request has to arrive in time, and an answer be taken.

    uvicorn has a limit for what is silent between two requests alone. That of a body is the
    route's, which can say so in an answer: `rgservice.http.body`.
    """

    head_seconds: ClassVar[float] = 15.0
    """From a connection, or the first byte of a request, to the end of its head; and from an answer
    that came before the end of a body, to that."""
    taken_seconds: ClassVar[float] = 60.0
    """How long the other side may leave sent bytes unacknowledged, or its window closed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._end_is_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a request."""
        super().connection_made(transport)
        used = transport.get_extra_info("socket")
        over_tcp = used is not None and used.family in {socket.AF_INET, socket.AF_INET6}
        if over_tcp and hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux has it
            limit = int(1000 * self.taken_seconds)
            used.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, limit)
        self._expect_end()

    def data_received(self, data: bytes) -> None:
        """Take what came; of a head that has begun, or a body that nobody reads, expect the end."""
        super().data_received(data)
        begun = self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]
        if begun or self._body_goes_on():
            self._expect_end()
        else:
            self._expect_none()

    def on_response_complete(self) -> None:
        """Of a body that was answered before its end, expect that."""
        super().on_response_complete()
        if self._body_goes_on():
            self._expect_end()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the same whatever is wrong
        """Say, as of every refusal, why what came is no request; then hang up."""
        fault = sys.exception()
        long = isinstance(fault, h11.RemoteProtocolError) and fault.error_status_hint == 431
        error: ApiError = (
            HeadTooLarge("send fewer or shorter headers, and a shorter address")
            if long
            else InvalidRequest("the head of the request is not HTTP/1.1")
        )
        headers = {"Content-Type": MEDIA_TYPE, **error.headers, **SAFE}
        said = h11.Data(data=error.problem().model_dump_json().encode())
        for event in (
            h11.Response(status_code=error.status, headers=list(headers.items())),
            said,
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing any more."""
        self._expect_none()
        super().connection_lost(exc)

    def _body_goes_on(self) -> bool:
        """Whether a request that is answered is not at its end."""
        return self.conn.our_state is h11.DONE and self.conn.their_state is h11.SEND_BODY

    def _expect_end(self) -> None:
        if self._end_is_due is None:
            self._end_is_due = self.loop.call_later(self.head_seconds, self.transport.abort)

    def _expect_none(self) -> None:
        if self._end_is_due is not None:
            self._end_is_due.cancel()
            self._end_is_due = None


def allow_many() -> None:
    """Let this process have as many open connections as the system grants it, up to a bound."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    granted = MOST_OPEN if most == resource.RLIM_INFINITY else min(most, MOST_OPEN)
    if now != resource.RLIM_INFINITY and now < granted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (granted, most))

"""Heads of requests that can be read in two ways are refused.

A proxy may read them the other way: where it takes the last of two tokens and the server the first,
each lets in whom the other refuses; where one ends a body by its length and the other by its
chunks, one sees a second request in what the other takes for a body.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from rgcontract import FieldProblem
from rgservice.http.errors import InvalidRequest
from rgservice.http.rendering import refusal

ONCE = (
    "Authorization", "Content-Encoding", "Content-Length", "Content-Type", "Host",
    "Idempotency-Key", "Transfer-Encoding",
)  # fmt: skip
"""What comes once at most."""


class UnambiguousHeads:
    """Refuses requests whose head says a thing twice."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, if it says each thing once."""
        app = self._app
        if scope["type"] == "http" and (refused := _refused(Headers(scope=scope))):
            app = refusal(InvalidRequest.of(refused))
        await app(scope, receive, send)


def _refused(headers: Headers) -> list[FieldProblem]:
    times = {name: len(headers.getlist(name)) for name in ONCE}
    refused = [
        FieldProblem(field=name, message=f"is given {count} times", allowed="once")
        for name, count in times.items()
        if count > 1
    ]
    if times["Transfer-Encoding"] and times["Content-Length"]:
        message = "is given beside Transfer-Encoding"
        refused.append(FieldProblem(field="Content-Length", message=message, allowed="one of both"))
    return refused

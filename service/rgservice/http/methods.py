"""HTTP methods as RFC 9110 has them: HEAD wherever there is GET, and 405 naming all there are."""

from __future__ import annotations

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class HeadAsGet:
    """Answers HEAD as GET; the server that sends the answer leaves its body out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)


def allowed(request: Request) -> list[str]:
    """The methods of a path over all its routes; a route that refuses knows its own only."""
    route = request.scope["route"]
    described = request.app.openapi()["paths"].get(route.path_format, route.methods)
    there = {method.upper() for method in described}
    found = [method for method in _METHODS if method in there]
    return ["GET", "HEAD", *found[1:]] if found[:1] == ["GET"] else found

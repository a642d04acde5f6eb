"""What a browser is told with every answer: load nothing, guess nothing, keep and tell nothing."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
SAFE = {
    "Content-Security-Policy": _NOTHING,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
PRIVATE = {"Cache-Control": "no-store"}
"""Of what takes a token, unless its route says otherwise."""


def policy(**sources: str) -> dict[str, str]:
    """The header of a page that loads what others may not.

    Args:
        sources: from where, by kind: `style` stands for `style-src`.
    """
    allowed = "".join(f"; {kind}-src {source}" for kind, source in sources.items())
    return {"Content-Security-Policy": _NOTHING + allowed}


class SafeHeaders:
    """Adds these headers to every answer that does not have its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""

        async def safe(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in for_path(scope["path"]).items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, safe if scope["type"] == "http" else send)


def for_path(path: str) -> dict[str, str]:
    """The headers of answers at a path."""
    return SAFE | PRIVATE if path.startswith("/v1/") else SAFE

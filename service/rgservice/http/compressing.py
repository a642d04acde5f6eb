"""Answers are compressed for those who take that, but for small ones and secrets."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

LEAST = 1_024
"""Bytes; of fewer, a packet is sent either way."""
LEVEL = 1
"""Fastest: arrays of digits get hardly smaller at others, and take five times as long."""
SECRET = frozenset({"/v1/tokens"})
"""Paths whose answers hold one: what is compressed beside it may tell of it by its length."""

FILES = "/docs/assets/"
"""Where files are, which have entity tags of their bytes, and ranges of them."""


class Compressed:
    """Compresses answers with gzip; large ones piece by piece, in a thread."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._gzip = GZipMiddleware(app, minimum_size=LEAST, compresslevel=LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http" or scope["path"] in SECRET or scope["path"].startswith(FILES):
            await self._app(scope, receive, send)
            return
        if _refuses_gzip(Headers(scope=scope)):
            scope = {**scope, "headers": [*scope["headers"]]}
            MutableHeaders(scope=scope)["Accept-Encoding"] = "identity"
        await self._gzip(scope, receive, send)


def _refuses_gzip(headers: Headers) -> bool:
    """Whether it is named, so as not to be sent: `gzip;q=0`."""
    for one in headers.get("Accept-Encoding", "").split(","):
        name, _, weight = one.replace(" ", "").partition(";q=")
        if name.lower() == "gzip" and weight:
            return not weight.strip("0.")
    return False

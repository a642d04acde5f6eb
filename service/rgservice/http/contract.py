"""The version of the contract, named both ways: who speaks another one is told so at once."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rgcontract.version import CONTRACT, CONTRACT_HEADER, Version
from rgservice.http.errors import ApiError, ContractMismatch, InvalidContract
from rgservice.http.probes import is_probe
from rgservice.http.rendering import refusal

LONGEST_SHOWN = 40


class NamesContract:
    """Refuses clients of another contract; who names none, as curl, is always served."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and name the server's own version in the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[CONTRACT_HEADER] = str(CONTRACT)
            await send(message)

        refused = None if is_probe(scope) else _refused(Headers(scope=scope))
        app = self._app if refused is None else refusal(refused)
        await app(scope, receive, named)


def _refused(headers: Headers) -> ApiError | None:
    """Why a client is not served, if it is not."""
    sent = ", ".join(headers.getlist(CONTRACT_HEADER))
    if CONTRACT_HEADER not in headers:
        return None
    try:
        theirs = Version.parse(sent)
    except ValueError:
        return InvalidContract(
            f"{CONTRACT_HEADER}: {sent[:LONGEST_SHOWN]!r} is no version; "
            f"write {CONTRACT.major} or {CONTRACT}, or leave the header out"
        )
    if theirs.major == CONTRACT.major:
        return None
    older, package, other = (
        ("client", "rgclient", "ask a server")
        if theirs < CONTRACT
        else ("server", "RGLab", "use a client")
    )
    return ContractMismatch(
        f"this client speaks contract {theirs} and this server {CONTRACT}: "
        f"upgrade the {older} ({package}), or {other} of contract "
        f"{theirs.major if older == 'client' else CONTRACT.major}",
        client=str(theirs),
        server=str(CONTRACT),
    )

"""Clients of before the contract had versions: what they refuse of an answer is left out of it.

They refuse a spec with a field that they do not know, and `schema` came after them. A spec of the
first schema is the same without it: that is what they have always read.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rgcontract.about import FIRST
from rgcontract.forms import FORM
from rgcontract.version import CONTRACT_HEADER

CLIENT = "rgclient"
"""How they name themselves, as those of today do, who name their version too."""


class SpecsAsBefore:
    """Answers those clients without the `schema` of specs where it is the first."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and the answer: as JSON to those clients, else as it comes."""
        if scope["type"] != "http" or not is_of_before(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        held: list[Message] = []  # the start of an answer in JSON, until its body is there

        async def changed(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_json(message):
                held.append(message)
                return
            if held:
                start = held.pop()
                if not message.get("more_body"):  # else it is large: its route has seen to it
                    body = _as_before(message.get("body", b""))
                    message = {**message, "body": body}
                    MutableHeaders(scope=start)["Content-Length"] = str(len(body))
                await send(start)
            await send(message)

        await self._app(scope, receive, changed)


def is_of_before(headers: Headers) -> bool:
    """Whether who asks is one of those clients."""
    return headers.get("User-Agent") == CLIENT and CONTRACT_HEADER not in headers


def _is_json(start: Message) -> bool:
    return Headers(scope=start).get("Content-Type") == "application/json"


def _as_before(body: bytes) -> bytes:
    """An answer without the number of the first schema, and otherwise with the same values."""
    answer = json.loads(body)
    spec = answer.get("spec") if isinstance(answer, dict) else None
    if not isinstance(spec, dict) or spec.get(FORM) != FIRST:
        return body
    answer["spec"] = without_form(spec)
    return json.dumps(answer, allow_nan=False, separators=(",", ":")).encode()


def without_form(spec: dict[str, Any]) -> dict[str, Any]:
    """A spec without the number of the first schema; one of another is as it was."""
    return {name: part for name, part in spec.items() if name != FORM or part != FIRST}

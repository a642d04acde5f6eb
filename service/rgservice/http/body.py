"""Reading a request body: capped, strict JSON, validated against a model of the contract."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from email.message import Message
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from rgcontract import field_problems, strictjson
from rgcontract.problem import MOST_ITEMS, MOST_MEMBERS
from rgcontract.section import clipped
from rgcontract.strictjson import StrictJsonError
from rgservice.http.errors import (
    BodyTooLarge,
    InvalidJson,
    InvalidSpec,
    TooSlow,
    UnsupportedMediaType,
)

M = TypeVar("M", bound=BaseModel)
SHORT_BYTES = 4096
"""A body up to here is read in about a millisecond, however wrong it is."""
STALLED_SECONDS = 10.0
"""The longest pause in a body."""
ARRIVAL_SECONDS = 120.0
"""In which all of a body has to arrive."""


async def read_body(
    request: Request, *, limit: int, setting: str, pause_seconds: float = STALLED_SECONDS
) -> bytes:
    """The body as it came.

    Args:
        request: its body is read to the end.
        limit: most bytes.
        setting: where the limit is set.
        pause_seconds: the longest pause.

    Raises:
        UnsupportedMediaType, BodyTooLarge, TooSlow: as they say.
    """
    _require_json(request)
    body = bytearray()
    arriving = aiter(request.stream())
    try:
        async with asyncio.timeout(ARRIVAL_SECONDS):
            while True:
                async with asyncio.timeout(pause_seconds):
                    body += await anext(arriving)
                if len(body) > limit:
                    raise BodyTooLarge(f"the body is longer than {limit} bytes ({setting})")
    except StopAsyncIteration:
        return bytes(body)
    except TimeoutError:
        raise TooSlow(
            f"the body has to arrive in {ARRIVAL_SECONDS:g} seconds, and without a pause of "
            f"{pause_seconds:g}"
        ) from None


def _require_json(request: Request) -> None:
    """Check that a body says that it is JSON, in UTF-8, as it is.

    Raises:
        UnsupportedMediaType: it says something else.
    """
    given = request.headers.get("content-type", "")
    sent = Message()
    sent["Content-Type"] = given or "-"
    if sent.get_content_type() != "application/json" or "," in given:
        kind = given.partition(";")[0].strip().lower()
        raise UnsupportedMediaType(
            f"send Content-Type: application/json (got {clipped(kind) or 'none'}); "
            "with curl: -H 'Content-Type: application/json' or --json"
        )
    charset = sent.get_content_charset("utf-8")
    if charset not in {"utf-8", "utf8", "us-ascii"}:
        raise UnsupportedMediaType(f"send JSON in UTF-8, not in {clipped(charset)}")
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding != "identity":
        raise UnsupportedMediaType(f"send the body as it is, without {clipped(coding)}")


def parsed(
    body: bytes,
    model: type[M],
    *,
    fill: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    names: type[BaseModel] | None = None,
    grid: bool = False,
) -> M:
    """A body as a model.

    Args:
        body: what came.
        model: what it is validated against.
        fill: adds to the object that was sent before it is validated.
        names: a model whose field names serve for "did you mean"; `model` if not given.
        grid: whether its lists may be axes, which the model counts whatever their length.

    Raises:
        InvalidJson, InvalidSpec: as they say.
    """
    try:
        sent = strictjson.loads(body)
    except StrictJsonError as error:
        raise InvalidJson(str(error)) from error
    left_out = _thin(sent, lists=not grid) if isinstance(sent, dict | list) else 0
    if fill is not None and isinstance(sent, dict):
        sent = fill(sent)
    if fill is not None or left_out:
        body = strictjson.dumps(sent).encode()
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise InvalidSpec.of(field_problems(error, names or model), more=left_out) from error


def _thin(value: Any, *, lists: bool) -> int:
    """Leave out all but the first members of what has more of them than any object or list has.

    To say of each that it is wrong may take seconds. What stays is too much, and refused for it.

    Returns:
        How many were left out.
    """
    left_out = 0
    if isinstance(value, dict):
        surplus = list(value)[MOST_MEMBERS:]
        for name in surplus:
            del value[name]
        left_out = len(surplus)
        value = value.values()
    elif lists:
        left_out = max(0, len(value) - MOST_ITEMS - 1)
        del value[MOST_ITEMS + 1 :]
    return left_out + sum(
        _thin(item, lists=lists) for item in value if isinstance(item, dict | list)
    )

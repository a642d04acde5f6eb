"""What every route that asks for something takes, and how it reads its body."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal, TypeVar

from fastapi import Header, Query, Request
from pydantic import BaseModel

from rgservice.http.body import SHORT_BYTES, parsed, read_body
from rgservice.http.deps import Parts
from rgstore.tokens import Caller

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key", min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$",
        description="The same key with the same body is answered the same and counted once",
    ),
]  # fmt: skip

DryRun = Annotated[bool, Query(description="Only say what it would cost")]
Everybody = Annotated[
    bool, Query(description="Withdraw what others asked for beside your own; admins only")
]


async def sent(
    request: Request,
    use: Parts,
    caller: Caller,
    read: Callable[[bytes], T],
    *,
    limit: Literal["max_body_bytes", "max_bulk_bytes"] = "max_body_bytes",
    short: int = SHORT_BYTES,
) -> T:
    """What a body asks for; a body that is not short waits for its turn to be read.

    Args:
        request: its body is read to the end.
        use: the limits, and where it is read.
        caller: who sent it.
        read: makes it of the body.
        limit: the setting that says how long it may be.
        short: bytes up to which it is read at once; 0 where few may ask for much.

    Raises:
        UnsupportedMediaType, BodyTooLarge, TooSlow, Busy: as they say.
    """
    most: int = getattr(use.settings, limit)
    body = await read_body(request, limit=most, setting=f"RGLAB_{limit.upper()}")
    if len(body) <= short:
        return read(body)
    return await use.apart.read(caller.user, lambda: read(body))


async def sent_model(request: Request, use: Parts, caller: Caller, model: type[M]) -> M:
    """The same, where it is a model as it is.

    Raises:
        InvalidJson, InvalidSpec: as they say; and those of `sent`.
    """
    return await sent(request, use, caller, lambda body: parsed(body, model))

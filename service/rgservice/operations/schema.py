"""`GET /v1/schema`: the registries, for programs that ask what there is before they ask for it."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from typing import Annotated

from fastapi import APIRouter, Header, Response

from rgcontract.schema import Schema, schema
from rgservice.http.deps import AUTHENTICATED, Reader
from rgservice.http.described import refusals

router = APIRouter(prefix="/v1/schema", tags=["operations"], dependencies=AUTHENTICATED)


@cache
def _answer() -> tuple[bytes, str]:
    """The answer of this release and its entity tag."""
    body = schema().model_dump_json().encode()
    return body, f'"{sha256(body).hexdigest()[:32]}"'


@router.get(
    "",
    response_model=Schema,
    responses={304: {"description": "As the reader has it"}, **refusals(401, 422)},
)
def show(_: Reader, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """Every field, filter, column, observable, family, choice, state, outcome and role there is."""
    body, tag = _answer()
    # a weak one: the answer may be compressed or not
    headers = {"ETag": f"W/{tag}", "Cache-Control": "private, no-cache"}
    known = [one.strip().removeprefix("W/") for one in (if_none_match or "").split(",")]
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)

"""Reading a request body: capped, strict JSON, validated against a model of the contract."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from rgcontract import FieldProblem, field_problems, strictjson
from rgcontract.strictjson import StrictJsonError
from rgservice.http.errors import BodyTooLarge, InvalidJson, InvalidSpec, UnsupportedMediaType

M = TypeVar("M", bound=BaseModel)


async def read_model(
    request: Request,
    model: type[M],
    *,
    limit: int,
    fill: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    names: type[BaseModel] | None = None,
) -> M:
    """The body as a model.

    Args:
        request: its body is read to the end.
        model: what it is validated against.
        limit: most bytes.
        fill: adds to the object that was sent before it is validated.
        names: a model whose field names serve for "did you mean"; `model` if not given.

    Raises:
        UnsupportedMediaType, BodyTooLarge, InvalidJson, InvalidSpec: as they say.
    """
    body = await read_body(request, limit=limit, setting="RGLAB_MAX_BODY_BYTES")
    return parsed(body, model, partial(field_problems, root=names or model), fill=fill)


async def read_body(request: Request, *, limit: int, setting: str) -> bytes:
    """The body as it came.

    Args:
        request: its body is read to the end.
        limit: most bytes.
        setting: where the limit is set.

    Raises:
        UnsupportedMediaType, BodyTooLarge: as they say.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise UnsupportedMediaType(
            f"send Content-Type: application/json (got {kind or 'none'}); "
            "with curl: -H 'Content-Type: application/json' or --json"
        )
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise BodyTooLarge(f"the body is longer than {limit} bytes ({setting})")
    return bytes(body)


def parsed(
    body: bytes,
    model: type[M],
    problems: Callable[[ValidationError], list[FieldProblem]],
    *,
    fill: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
) -> M:
    """A body as a model.

    Args:
        body: what came.
        model: what it is validated against.
        problems: names the fields that are refused.
        fill: adds to the object that was sent before it is validated.

    Raises:
        InvalidJson, InvalidSpec: as they say.
    """
    try:
        sent = strictjson.loads(body)
        if fill is not None and isinstance(sent, dict):
            body = strictjson.dumps(fill(sent)).encode()
        return model.model_validate_json(body)
    except StrictJsonError as error:
        raise InvalidJson(str(error)) from error
    except ValidationError as error:
        raise InvalidSpec.of(problems(error)) from error

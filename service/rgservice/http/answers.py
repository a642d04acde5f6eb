"""What a route answers, as a value; one function makes it a response."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel
from starlette.responses import Response

from rgcontract.reading import as_json


@dataclass(frozen=True)
class Answered:
    """An answer: what it says, and how HTTP says it."""

    body: BaseModel
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def made(cls, body: BaseModel, *, new: bool, location: str | None = None) -> Answered:
        """The answer to a request for something, which is new or was there already."""
        headers = {} if location is None else {"Location": location}
        return cls(body, 201 if new else 200, headers)

    @classmethod
    def tagged(cls, body: BaseModel, etag: str) -> Answered:
        """What can be changed, with the tag by which `If-Match` tells whether it was."""
        return cls(body, headers={"ETag": etag})


def response(answered: Answered) -> Response:
    """An answer as it goes out."""
    return Response(
        answered.body.model_dump_json(by_alias=True),
        answered.status,
        headers=dict(answered.headers),
        media_type="application/json",
    )


def whole_response(body: BaseModel) -> Response:
    """What another release may have written, with all that this one does not know of it."""
    return Response(as_json(body), media_type="application/json")

"""Entity tags of what `PATCH` changes: who names the one they read overwrites nothing unseen."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any

from fastapi import Header
from pydantic import BaseModel

from rgcontract import canonical_json
from rgservice.http.errors import Changed

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=2_000,
        description="The `ETag` of what was read: if it was changed since, nothing is changed now",
    ),
]


def etag(shown: Mapping[str, Any]) -> str:
    """The entity tag of what a reader is shown of that which can be changed.

    State and progress are no part of it: who renames what is running would never come to it. It
    names what is shown and not its bytes, and is the same where these are compressed.
    """
    return f'"{sha256(canonical_json(dict(shown)).encode()).hexdigest()[:32]}"'


def tag_of(view: BaseModel, update: type[BaseModel]) -> str:
    """The entity tag of a view: of the fields that an update of it has."""
    return etag({name: getattr(view, name) for name in update.model_fields})


def check(if_match: str | None, shown: Mapping[str, Any]) -> None:
    """Check that something is as it was when it was read; whoever names no tag does not ask.

    Raises:
        Changed: it is not.
    """
    if if_match is None:
        return
    named, now = [one.strip() for one in if_match.split(",")], etag(shown)
    if now not in named and "*" not in named:
        raise Changed(
            "nothing is changed: read it again, look at what it says now, and send your change "
            "with the ETag of that answer in If-Match, or without If-Match",
            etag=now,
        )

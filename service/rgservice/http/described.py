"""What the description of the API says of every route that takes a body or refuses."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from rgcontract import Problem

_PROBLEM: dict[str, Any] = {
    "model": Problem,
    "description": "Refused: what was wrong, where, what is allowed",
}
ASKING = (400, 401, 408, 413, 415, 422)
"""How a request with a body may be refused."""


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that a route answers with; who takes a token may be asked too often."""
    too_often = (429,) if 401 in statuses else ()
    return dict.fromkeys((*statuses, *too_often), _PROBLEM)


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """A body that the route reads itself, as strict JSON."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    content = {"application/json": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}

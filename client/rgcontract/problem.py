"""Errors as the wire carries them: application/problem+json (RFC 9457) with a stable code."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from rgcontract.chains import Family
from rgcontract.fields import allowed, children, nearest

MEDIA_TYPE = "application/problem+json"
WHOLE = "body"
"""In place of a path, where it is no field that is wrong."""


class Code(StrEnum):
    """What went wrong, for programs. A code never changes its meaning."""

    INVALID_JSON = "invalid_json"
    INVALID_SPEC = "invalid_spec"
    INVALID_QUERY = "invalid_query"
    BODY_TOO_LARGE = "body_too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    OVER_LIMIT = "over_limit"
    NOT_AUTHENTICATED = "not_authenticated"
    INVALID_TOKEN = "invalid_token"  # noqa: S105 - a code, not a token
    WRONG_HOST = "wrong_host"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    NOT_ASKED = "not_asked"
    NOT_READY = "not_ready"
    NOT_CANCELLABLE = "not_cancellable"
    NOT_RETRYABLE = "not_retryable"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


class FieldProblem(BaseModel):
    """One field that was refused."""

    model_config = ConfigDict(frozen=True)

    field: str
    """Path of the field, dotted: `chain.corr_len`."""
    message: str
    """What is wrong with it."""
    allowed: str | None = None
    """What would be accepted."""


class Problem(BaseModel):
    """The body of every answer that is not a success."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: str = "about:blank"
    title: str
    """The kind of problem, the same words each time."""
    status: int
    """HTTP status."""
    code: Code
    """The kind of problem, for programs."""
    detail: str
    """What happened this time and what to do next."""
    errors: list[FieldProblem] = []
    """The fields that were refused, if fields were."""


def field_problems(error: ValidationError, root: type[BaseModel]) -> list[FieldProblem]:
    """The refused fields of a pydantic error: path, what is wrong, what is allowed.

    Args:
        error: what validating `root` raised.
        root: the model, whose field names serve for "did you mean".
    """
    return problems_at(error.errors(include_url=False), root)


def problems_at(found: Sequence[ErrorDetails], root: type[BaseModel]) -> list[FieldProblem]:
    """The same of single errors, whose places are counted from the root."""
    within = {item["loc"][:-1] for item in found}
    return [
        _field_problem(item, root)
        for item in found
        # pydantic drops a refused item and then finds the list too short
        if item["type"] != "too_short" or item["loc"] not in within
    ]


def _field_problem(item: ErrorDetails, root: type[BaseModel]) -> FieldProblem:
    path = _path(item["loc"])
    kind, context = item["type"], item.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_field(path, root)
    if kind == "union_tag_invalid":
        families = str(context["expected_tags"]).replace("'", "")
        message = f"{context['tag']!r} is not a family"
        return FieldProblem(field=f"{path}.family", message=message, allowed=families)
    if kind == "field_conflict":
        field = ".".join(part for part in (path, context["field"]) if part)
        return FieldProblem(field=field, message=context["reason"], allowed=context["allowed"])
    return FieldProblem(
        field=path or WHOLE, message=item["msg"], allowed=allowed(root, path) or "a JSON object"
    )


def _unknown_field(path: str, root: type[BaseModel]) -> FieldProblem:
    parent, _, name = path.rpartition(".")
    siblings = children(root, parent)
    if name in siblings:
        message = "does not apply to this family of chains"
    else:
        close = nearest(name, root)
        message = f"unknown field; did you mean {' or '.join(close)}?" if close else "unknown field"
    known = ", ".join(sibling for sibling in siblings if sibling != name)
    return FieldProblem(field=path, message=message, allowed=known)


def _path(loc: tuple[int | str, ...]) -> str:
    """The dotted path of an error, without the tag that pydantic adds for the chain's family."""
    steps = [str(step) for step in loc]
    if len(steps) > 1 and steps[0] == "chain" and steps[1] in {*Family}:
        del steps[1]
    return ".".join(steps)

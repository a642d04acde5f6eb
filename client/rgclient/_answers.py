"""From an answer that is not a success to the exception that says what to do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from rgclient import _errors as errors
from rgclient._newer import UPGRADE_THE_SERVER, is_older
from rgcontract import Code, Problem

if TYPE_CHECKING:
    import httpx

EXCERPT = 120
"""Characters shown of an answer that is not RGLab's."""

KINDS: dict[str, type[errors.ResponseError]] = {
    Code.INVALID_JSON: errors.InvalidSpec,
    Code.INVALID_SPEC: errors.InvalidSpec,
    Code.BODY_TOO_LARGE: errors.InvalidSpec,
    Code.OVER_LIMIT: errors.OverLimit,
    Code.NOT_AUTHENTICATED: errors.Unauthorized,
    Code.INVALID_TOKEN: errors.Unauthorized,
    Code.CONTRACT_MISMATCH: errors.ContractMismatch,
    Code.FORBIDDEN: errors.Forbidden,
    Code.NOT_ASKED: errors.Forbidden,
    Code.NOT_FOUND: errors.NotFound,
    Code.CHANGED: errors.Conflict,
    Code.NOT_READY: errors.NotReady,
    Code.NOT_CANCELLABLE: errors.Conflict,
    Code.NOT_RETRYABLE: errors.Conflict,
    Code.LAST_ADMIN: errors.Conflict,
    Code.USER_EXISTS: errors.Conflict,
    Code.USER_DISABLED: errors.Conflict,
    Code.TOO_MANY_TOKENS: errors.Conflict,
    Code.UNREADABLE_SPEC: errors.Conflict,
    Code.UNREADABLE_RECORD: errors.Conflict,
    Code.IDEMPOTENCY_KEY_REUSED: errors.Conflict,
    Code.QUEUED_RUNS_QUOTA: errors.QuotaExceeded,
    Code.FLOPS_PER_DAY_QUOTA: errors.QuotaExceeded,
    Code.STORED_BYTES_QUOTA: errors.QuotaExceeded,
    Code.REQUEST_RATE: errors.TooManyRequests,
    Code.REQUEST_TIMEOUT: errors.ServerError,
    Code.BUSY: errors.ServerError,
    Code.UNAVAILABLE: errors.ServerError,
    Code.INTERNAL: errors.ServerError,
}
"""The exception of each code; the others are a plain ResponseError."""


def error_of(response: httpx.Response) -> errors.ResponseError:
    """The exception for an answer that is not a success."""
    fallback = errors.ServerError if response.status_code >= 500 else errors.ResponseError
    body = _json_object(response)
    code = body.get("code")
    if not isinstance(code, str):
        return fallback(_foreign(response), status=response.status_code)
    try:
        problem = Problem.model_validate(body)
    except ValidationError:  # a newer server: a code or a shape that this contract does not know
        detail = str(body.get("detail") or body.get("title") or code)
        return fallback(detail, status=response.status_code, code=code)
    kind = KINDS.get(problem.code, fallback)
    message = _message(problem)
    if is_older(response) and _is_of_what_it_lacks(problem):
        message += f"\n{UPGRADE_THE_SERVER}"
    return kind(message, status=response.status_code, code=code, problem=problem)


def is_of_a_quota(response: httpx.Response) -> bool:
    """Whether an answer refuses more than one may use: that is not gone in a moment."""
    code = _json_object(response).get("code") if response.status_code == 429 else None
    return isinstance(code, str) and KINDS.get(code) is errors.QuotaExceeded


def unexpected(response: httpx.Response) -> errors.ResponseError:
    """The exception for a success that does not say what the contract says."""
    return errors.ResponseError(_foreign(response), status=response.status_code)


def _message(problem: Problem) -> str:
    repeats = any(refused.message in problem.detail for refused in problem.errors)
    lines = [problem.title if repeats else problem.detail or problem.title]
    for refused in problem.errors:
        allowed = f" (allowed: {refused.allowed})" if refused.allowed else ""
        lines.append(f"  {refused.field}: {refused.message}{allowed}")
    return "\n".join(lines)


def _is_of_what_it_lacks(problem: Problem) -> bool:
    """Whether the server has no such route, method, query parameter or field."""
    no_route = problem.code is Code.NOT_FOUND and problem.detail.startswith("nothing at")
    unknown = any(refused.message.startswith("unknown ") for refused in problem.errors)
    return no_route or unknown or problem.code is Code.METHOD_NOT_ALLOWED


def _foreign(response: httpx.Response) -> str:
    kind = response.headers.get("content-type", "no content type")
    target = response.headers.get("location")
    to = f" to {target}" if target else ""
    text = " ".join(response.text[: 10 * EXCERPT].split())[:EXCERPT]
    excerpt = f": {text!r}" if text else ""
    return (
        f"{response.url.copy_with(query=None)} answered {response.status_code}{to} with {kind}, "
        f"not as an RGLab server that fits this client would{excerpt}. "
        "Is the address right, and is nothing in between?"
    )


def _json_object(response: httpx.Response) -> dict[str, Any]:
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}

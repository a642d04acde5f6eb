"""Errors as the wire carries them: application/problem+json (RFC 9457) with a stable code."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from rgcontract.chains import CHAIN_OF, DEFAULT_FAMILY, Family
from rgcontract.fields import allowed, children, nearest
from rgcontract.section import UNKNOWN_FIELD, clipped, shown

MEDIA_TYPE = "application/problem+json"
WHOLE = "body"
"""In place of a path, where it is no field that is wrong."""
NO_NAME = '""'
"""In a path, a field whose name is empty."""
CHAIN = "chain"
"""The section whose fields depend on its family."""
MOST_NAMED = 20
"""Refused fields that an answer names; of the others it says how many they are."""
MOST_MEMBERS = 100
"""Of an object that is sent: more than any has in the contract."""
MOST_ITEMS = 5000
"""Of a list that is sent: more than any has in the contract but that of many submissions."""


class Code(StrEnum):
    """What went wrong, for programs. A code never changes its meaning."""

    INVALID_REQUEST = "invalid_request"
    HEAD_TOO_LARGE = "head_too_large"
    INVALID_JSON = "invalid_json"
    INVALID_SPEC = "invalid_spec"
    INVALID_QUERY = "invalid_query"
    BODY_TOO_LARGE = "body_too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    OVER_LIMIT = "over_limit"
    NOT_AUTHENTICATED = "not_authenticated"
    INVALID_TOKEN = "invalid_token"  # noqa: S105 - a code, not a token
    WRONG_HOST = "wrong_host"
    INVALID_CONTRACT = "invalid_contract"
    CONTRACT_MISMATCH = "contract_mismatch"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    FORBIDDEN = "forbidden"
    NOT_ASKED = "not_asked"
    CHANGED = "changed"
    NOT_READY = "not_ready"
    NOT_CANCELLABLE = "not_cancellable"
    NOT_RETRYABLE = "not_retryable"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    LAST_ADMIN = "last_admin"
    USER_EXISTS = "user_exists"
    USER_DISABLED = "user_disabled"
    TOO_MANY_TOKENS = "too_many_tokens"
    UNREADABLE_SPEC = "unreadable_spec"
    UNREADABLE_RECORD = "unreadable_record"
    QUEUED_RUNS_QUOTA = "queued_runs_quota"
    FLOPS_PER_DAY_QUOTA = "flops_per_day_quota"
    STORED_BYTES_QUOTA = "stored_bytes_quota"
    REQUEST_RATE = "request_rate"
    REQUEST_TIMEOUT = "request_timeout"
    BUSY = "busy"
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
    """The fields that were refused, if fields were; the first of them, where they are many."""
    more: int = 0
    """How many more fields were refused, at least, than `errors` names."""


def field_problems(error: ValidationError, root: type[BaseModel]) -> list[FieldProblem]:
    """The refused fields of a pydantic error: path, what is wrong, what is allowed.

    Args:
        error: what validating `root` raised.
        root: the model, whose field names serve for "did you mean".
    """
    found = error.errors(include_url=False)
    within = {item["loc"][:-1] for item in found}
    # pydantic drops a refused item and then finds the list too short
    real = (item for item in found if item["type"] != "too_short" or item["loc"] not in within)
    return [_field_problem(item, root) for item in real]


def _field_problem(item: ErrorDetails, root: type[BaseModel]) -> FieldProblem:
    path, family = _place(item["loc"])
    kind, context = item["type"], item.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_field(path, root, [family])
    if kind == UNKNOWN_FIELD:
        return _unknown_field(path, root, context["families"])
    if kind == "union_tag_invalid":
        families = str(context["expected_tags"]).replace("'", "")
        message = f"{shown(context['tag'])} is not a family"
        return FieldProblem(field=f"{path}.family", message=message, allowed=families)
    if kind == "field_conflict":
        field = ".".join(part for part in (path, context["field"]) if part)
        return FieldProblem(field=field, message=context["reason"], allowed=context["allowed"])
    return FieldProblem(
        field=path or WHOLE, message=item["msg"], allowed=allowed(root, path) or "a JSON object"
    )


def _unknown_field(path: str, root: type[BaseModel], families: Collection[Family]) -> FieldProblem:
    """A field that is not there; in the chain, of these families."""
    parent, _, name = path.rpartition(".")
    siblings, elsewhere = children(root, parent), set[str]()
    if parent == CHAIN:
        of_family = {field for family in families for field in CHAIN_OF[family].model_fields}
        elsewhere = {*siblings} - of_family
        siblings = sorted(of_family)
    known = ", ".join(siblings)
    if name in elsewhere:
        having = [family for family, chain in CHAIN_OF.items() if name in chain.model_fields]
        message = (
            f"does not apply to this family of chains ({_listed(families)}), "
            f"only to {_listed(having)}"
        )
        known = f"family {' or '.join(having)}; of {_listed(families)}: {known}"
    else:
        without = {f"{parent}.{other}" for other in elsewhere}
        close = nearest(name, root, without=without)
        message = f"unknown field; did you mean {' or '.join(close)}?" if close else "unknown field"
    return FieldProblem(field=clipped(path), message=message, allowed=known)


def _listed(families: Collection[Family]) -> str:
    return ", ".join(families)


def _place(loc: tuple[int | str, ...]) -> tuple[str, Family]:
    """The dotted path of an error; the family, which pydantic adds to the place in a chain."""
    steps = [str(step) or NO_NAME for step in loc]
    family = DEFAULT_FAMILY
    if len(steps) > 1 and steps[0] == CHAIN and steps[1] in {*Family}:
        family = Family(steps.pop(1))
    return ".".join(steps), family

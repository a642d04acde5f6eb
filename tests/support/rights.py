"""Who may use which route: a row for each. `tests/service/test_rights.py` tries each by everybody.

A route without a row fails, and so does a row without a route.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rgcontract.roles import Role


class Who(StrEnum):
    """Who may use a route."""

    ANYBODY = "anybody, without a token"
    READERS = "whoever has a token"
    MEMBERS = "members and admins"
    HOLDERS = "whoever has a token for what may no more than that, admins for all"
    OWNERS = "members for what is theirs, admins for all"
    ADMINS = "admins"


NEEDS = {
    Who.READERS: Role.READER,
    Who.HOLDERS: Role.READER,
    Who.MEMBERS: Role.MEMBER,
    Who.OWNERS: Role.MEMBER,
    Who.ADMINS: Role.ADMIN,
}
"""The role that a route declares."""


@dataclass(frozen=True)
class Right:
    """A row: who may use a route, and how the tests use it."""

    who: Who
    ok: int = 200
    """What those are answered who may."""
    body: Mapping[str, Any] | None = None
    target: str = ""
    """What the tests prepare for its path: an `experiment`, a `cancelled experiment`, ..."""


RIGHTS: dict[str, Right] = {
    "GET /": Right(Who.ANYBODY),
    "GET /healthz": Right(Who.ANYBODY),
    "GET /readyz": Right(Who.ANYBODY),
    "GET /metrics": Right(Who.ANYBODY),
    "GET /openapi.json": Right(Who.ANYBODY),
    "GET /docs": Right(Who.ANYBODY),
    "GET /docs/page.js": Right(Who.ANYBODY),
    "GET /docs/assets/{name}": Right(Who.ANYBODY, target="asset"),
    "GET /v1/schema": Right(Who.READERS),
    "GET /v1/audit": Right(Who.READERS),
    "GET /v1/me": Right(Who.READERS),
    "GET /v1/experiments": Right(Who.READERS),
    "POST /v1/experiments": Right(Who.MEMBERS, 201, target="new chain"),
    "POST /v1/experiments/bulk": Right(Who.MEMBERS, 201, target="new chains"),
    "GET /v1/experiments/{name}": Right(Who.READERS, target="experiment"),
    "PATCH /v1/experiments/{name}": Right(Who.OWNERS, 200, {"label": "mine"}, "experiment"),
    "GET /v1/experiments/{name}/result": Right(Who.READERS, 409, target="experiment"),
    "GET /v1/experiments/{name}/chains/{chain_seed}": Right(  # its only one is not that of seed 0
        Who.READERS, 404, target="experiment"
    ),
    "POST /v1/experiments/{name}/cancel": Right(Who.OWNERS, target="experiment"),
    "POST /v1/experiments/{name}/retry": Right(Who.OWNERS, target="cancelled experiment"),
    "POST /v1/studies": Right(Who.MEMBERS, 201, target="new chain"),
    "GET /v1/studies": Right(Who.READERS),
    "GET /v1/studies/{name}": Right(Who.READERS, target="study"),
    "PATCH /v1/studies/{name}": Right(Who.OWNERS, 200, {"name": "mine"}, "study"),
    "GET /v1/studies/{name}/findings": Right(Who.READERS, 409, target="study"),
    "POST /v1/studies/{name}/cancel": Right(Who.OWNERS, target="study"),
    "POST /v1/studies/{name}/retry": Right(Who.OWNERS, target="cancelled study"),
    "GET /v1/users": Right(Who.READERS),
    "POST /v1/users": Right(Who.ADMINS, 201, target="new user"),
    "PATCH /v1/users/{name}": Right(Who.ADMINS, 200, {"role": "reader"}, "user"),
    "GET /v1/tokens": Right(Who.READERS),
    "POST /v1/tokens": Right(Who.MEMBERS, 201, {"name": "laptop"}),
    "DELETE /v1/tokens/{name}": Right(Who.HOLDERS, target="token"),
}
"""Method and path -> who may."""


class Identity(StrEnum):
    """Who asks: what of a token they have, and whose the thing is that they ask for."""

    NONE = "no token"
    MALFORMED = "a token that is cut short"
    UNKNOWN = "a token that nobody made"
    EXPIRED = "a token that has expired"
    REVOKED = "a token that was revoked"
    DISABLED = "a token of a disabled user"
    READER = "a reader"
    READ_TOKEN = "an owner, with a token to read"
    OWN = "a member, on what is theirs"
    CO_OWNED = "a member, on what is theirs and another's"
    ANOTHERS = "a member, on what is another's"
    ADMIN = "an admin, on what is another's"
    OLD = "an owner, with a token of the release before"


STRANGERS = frozenset(
    {
        Identity.NONE, Identity.MALFORMED, Identity.UNKNOWN, Identity.EXPIRED,
        Identity.REVOKED, Identity.DISABLED,
    }
)  # fmt: skip
READING = frozenset({Identity.READER, Identity.READ_TOKEN})


def may(who: Who, identity: Identity) -> int:
    """0 where somebody may, else the status of the refusal."""
    if who is Who.ANYBODY:
        return 0
    if identity in STRANGERS:
        return 401
    allowed = {
        Who.READERS: True,
        Who.HOLDERS: identity not in {Identity.READ_TOKEN, Identity.ANOTHERS},
        Who.MEMBERS: identity not in READING,
        Who.OWNERS: identity not in READING | {Identity.ANOTHERS},
        Who.ADMINS: identity is Identity.ADMIN,
    }
    return 0 if allowed[who] else 403

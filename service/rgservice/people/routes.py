"""`/v1/me`, `/v1/users`, `/v1/tokens`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel
from sqlalchemy.orm import Session

from rgcontract.people import (
    MadeToken,
    Me,
    NewToken,
    NewUser,
    Token,
    Tokens,
    User,
    UserChange,
    Users,
)
from rgcontract.quotas import Quota
from rgcontract.roles import Role
from rgservice.http.answers import Answered, response
from rgservice.http.asking import sent_model
from rgservice.http.deps import (
    AUTHENTICATED,
    Admin,
    Member,
    Parts,
    PartsDep,
    Reader,
    SnapshotDep,
)
from rgservice.http.described import ASKING, body_of, refusals
from rgservice.http.rights import writing
from rgservice.people import granting
from rgservice.people.views import me, user_view
from rgstore import people, quotas
from rgstore.tokens import Caller

router = APIRouter(prefix="/v1", tags=["people"], dependencies=AUTHENTICATED)

UserQuery = Annotated[
    str | None,
    Query(min_length=1, max_length=200, description="Whose; others' are for admins to see"),
]


@router.get("/me", responses=refusals(401, 422))
def who_am_i(session: SnapshotDep, use: PartsDep, caller: Reader) -> Me:
    """Who this token speaks for, what it may be used for, and what of the lab is left for them."""
    limits = quotas.limits_of(quotas.of_lab(use.settings), caller.quotas)
    rate = use.rates.used(caller.user, limits[Quota.REQUESTS_PER_SECOND])
    return me(caller, quotas.uses(session, caller.user, limits, rate))


@router.get("/users", responses=refusals(401, 422))
def list_users(session: SnapshotDep, _: Reader) -> Users:
    """Everybody who may use the lab, and what each may do."""
    return Users(items=[user_view(row) for row in people.users(session)])


@router.post(
    "/users",
    status_code=201,
    response_model=User,
    responses=refusals(*ASKING, 403, 409),
    openapi_extra=body_of(NewUser),
)
async def add_user(request: Request, use: PartsDep, caller: Admin) -> Response:
    """Add somebody. They need a token, too: `POST /v1/tokens`."""
    asked = await sent_model(request, use, caller, NewUser)
    return await _done(
        use, caller, Role.ADMIN, lambda session: granting.add(session, caller, asked), 201
    )


@router.patch(
    "/users/{name}",
    response_model=User,
    responses=refusals(*ASKING, 403, 404, 409),
    openapi_extra=body_of(UserChange),
)
async def change_user(name: str, request: Request, use: PartsDep, caller: Admin) -> Response:
    """Set a role or quotas, disable or enable somebody. It holds from their next request on.

    What a disabled user asked for goes on: an admin can cancel it. The last admin stays one.
    """
    asked = await sent_model(request, use, caller, UserChange)
    return await _done(
        use, caller, Role.ADMIN, lambda session: granting.change(session, caller, name, asked)
    )


@router.get("/tokens", responses=refusals(401, 403, 404, 422))
def list_tokens(session: SnapshotDep, caller: Reader, user: UserQuery = None) -> Tokens:
    """Your tokens that are not revoked, without their texts."""
    return Tokens(items=granting.listed(session, caller, user))


@router.post(
    "/tokens",
    status_code=201,
    response_model=MadeToken,
    responses=refusals(*ASKING, 403, 404, 409),
    openapi_extra=body_of(NewToken),
)
async def make_token(request: Request, use: PartsDep, caller: Member) -> Response:
    """Make a token. Its text is in this answer and nowhere else.

    One of your own may do no more than the token that you make it with, and lives no longer.
    """
    asked = await sent_model(request, use, caller, NewToken)
    made = await _done(
        use, caller, Role.MEMBER, lambda session: granting.make(session, caller, asked), 201
    )
    made.headers["Cache-Control"] = "no-store"
    return made


@router.delete("/tokens/{name}", responses=refusals(401, 403, 404, 422))
def revoke_token(name: str, use: PartsDep, caller: Reader) -> Token:
    """Revoke a token: from this moment it speaks for nobody, whichever server is asked.

    With one that only reads, you can revoke those of yours that only read: this one, too.
    """
    with writing(use, caller, Role.READER) as session:
        return granting.revoke(session, caller, name)


async def _done(
    use: Parts, caller: Caller, role: Role, act: Callable[[Session], BaseModel], status: int = 200
) -> Response:
    """What came of a change, which is stored before it is answered."""

    def changed() -> BaseModel:
        with writing(use, caller, role) as session:
            return act(session)

    return response(Answered(await run_in_threadpool(changed), status))

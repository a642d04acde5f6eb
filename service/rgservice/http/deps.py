"""What routes depend on: the application's parts, a transaction, who is asking."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.orm import Session

from rgcontract.quotas import Quota
from rgcontract.roles import Role
from rgservice.http.apart import Apart
from rgservice.http.errors import Forbidden, InvalidToken, NotAuthenticated
from rgservice.http.kept import Kept
from rgservice.http.query import known_query
from rgservice.http.quotas import too_fast, too_many_failures
from rgservice.http.rates import Rates, TooFastError, TooManyFailuresError
from rgstore.database import Database
from rgstore.quotas import limits_of, of_lab
from rgstore.settings import Settings
from rgstore.tokens import Caller, InvalidTokenError, caller_of, note_use


@dataclass(frozen=True)
class Parts:
    """What an application is made of."""

    settings: Settings
    database: Database
    apart: Apart = field(default_factory=Apart)
    kept: Kept = field(default_factory=Kept)
    rates: Rates = field(default_factory=Rates)


def parts(request: Request) -> Parts:
    """The parts of the application that serves this request."""
    return cast("Parts", request.app.state.parts)


PartsDep = Annotated[Parts, Depends(parts)]


def snapshot(use: PartsDep) -> Iterator[Session]:
    """One transaction for a request that only reads: state, runs and numbers fit each other."""
    with use.database.snapshot() as opened:
        yield opened


# scope="function": a reader who takes an answer slowly keeps no connection from others meanwhile
SnapshotDep = Annotated[Session, Depends(snapshot, scope="function")]

_bearer = HTTPBearer(auto_error=False, description="A token of `rglab token create`")


def caller(
    request: Request,
    use: PartsDep,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> Caller:
    """Who is asking. Who asks too often is told so before a database is asked.

    Raises:
        NotAuthenticated: no bearer token. InvalidToken: one that speaks for nobody.
        OverQuota: too many requests of this person, or too many bad ones of this address.
    """
    address = "" if request.client is None else request.client.host
    token = "" if credentials is None else credentials.credentials
    failures = use.settings.quota_failures_per_second
    try:
        counted = use.rates.admit(address, token, failures)
        try:
            found = _speaking(use, token)
        except (NotAuthenticated, InvalidToken):
            use.rates.failed(address, token, failures)
            raise
        use.rates.spoke(token, found.user, _rate_of(use, found), counted=counted)
    except TooManyFailuresError as error:
        raise too_many_failures(error) from error
    except TooFastError as error:
        raise too_fast(error) from error
    return found


def _rate_of(use: Parts, by: Caller) -> float:
    """Requests per second that somebody may send to this process."""
    return limits_of(of_lab(use.settings), by.quotas)[Quota.REQUESTS_PER_SECOND]


def _speaking(use: Parts, token: str) -> Caller:
    """Whom a token speaks for.

    A transaction of its own: a request that held one while its body arrives, or while it waits
    for another, would keep a connection from everyone else.
    """
    if not token:
        raise NotAuthenticated(
            "send Authorization: Bearer TOKEN; an admin makes one, or `rglab token create` on the "
            "server"
        )
    with use.database.begin() as opened:
        try:
            found = caller_of(opened, token)
        except InvalidTokenError as error:
            raise refused(error) from error
        if not found.noted:
            note_use(opened, found)
    return found


def refused(error: InvalidTokenError) -> InvalidToken:
    """The answer to a token that speaks for nobody."""
    return InvalidToken(f"the token {error}; ask an admin for a new one (`rglab token create`)")


@dataclass(frozen=True)
class AtLeast:
    """A dependency that names who may use a route: each route has one, and no other."""

    role: Role

    def __call__(self, by: Annotated[Caller, Depends(caller)]) -> Caller:
        """Who uses it.

        Raises:
            Forbidden: they may not.
        """
        require(by, self.role)
        return by


def require(by: Caller, role: Role) -> None:
    """Check what a caller may do.

    Raises:
        Forbidden: they are less than that.
    """
    if not by.role.includes(role):
        raise Forbidden(
            f"this takes the role {role}, and you are {by.user} with the role {by.role}; an admin "
            "sets the roles of users, and gives them tokens"
        )


Reader = Annotated[Caller, Depends(AtLeast(Role.READER))]
Member = Annotated[Caller, Depends(AtLeast(Role.MEMBER))]
Admin = Annotated[Caller, Depends(AtLeast(Role.ADMIN))]
"""Of a route: who may use it, and who does."""

AUTHENTICATED = [Depends(caller), Depends(known_query)]
"""Of every router of the API. In this order: who has no token learns nothing of the query."""

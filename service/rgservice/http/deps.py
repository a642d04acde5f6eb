"""What routes depend on: the application's parts, a transaction, who is asking."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.orm import Session

from rgservice.http.apart import Apart
from rgservice.http.errors import InvalidToken, NotAuthenticated
from rgservice.http.query import known_query
from rgstore.database import Database
from rgstore.settings import Settings
from rgstore.tokens import owner_of


@dataclass(frozen=True)
class Parts:
    """What an application is made of."""

    settings: Settings
    database: Database
    apart: Apart = field(default_factory=Apart)


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

_bearer = HTTPBearer(auto_error=False, description="A token of `rglab token`")


def owner(
    use: PartsDep,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> str:
    """Who is asking.

    A transaction of its own: a request that held one while its body arrives, or while it waits
    for another, would keep a connection from everyone else.

    Raises:
        NotAuthenticated: no bearer token. InvalidToken: one that is unknown or revoked.
    """
    if credentials is None:
        raise NotAuthenticated(
            "send Authorization: Bearer TOKEN; `rglab token NAME` on the server makes one"
        )
    with use.database.begin() as opened:
        name = owner_of(opened, credentials.credentials)
    if name is None:
        raise InvalidToken("the token is unknown or revoked; ask for a new one (`rglab token`)")
    return name


OwnerDep = Annotated[str, Depends(owner)]

AUTHENTICATED = [Depends(owner), Depends(known_query)]
"""Of every router of the API. In this order: who has no token learns nothing of the query."""

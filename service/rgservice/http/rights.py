"""Who may change what: who a caller is when it is written, and whose the record is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, Protocol

from sqlalchemy.orm import Session

from rgcontract.roles import Role
from rgservice.http.deps import Parts, refused, require
from rgservice.http.errors import NotAsked
from rgstore.tokens import Caller, InvalidTokenError, still


class Owned(Protocol):
    """What one or several have asked for."""

    kind: ClassVar[str]
    """What it is called."""

    def owners(self, session: Session) -> list[str]:
        """Who has."""


@contextmanager
def writing(use: Parts, caller: Caller, role: Role = Role.MEMBER) -> Iterator[Session]:
    """A transaction for what a caller changes, if they still may.

    Between the beginning of a request and this lies its body, which may take its time. What a role
    or a token is worth is decided here, once: all of a request is stored, or nothing.

    Args:
        use: the database.
        caller: as they were when the request came.
        role: what it takes.

    Raises:
        InvalidToken: their token was revoked meanwhile. Forbidden: their role was lowered.
    """
    with use.database.begin() as session:
        try:
            require(still(session, caller), role)
        except InvalidTokenError as error:
            raise refused(error) from error
        yield session


def may_act(session: Session, caller: Caller, record: Owned) -> None:
    """Check that somebody may act on a record: its owners may, and admins.

    Raises:
        NotAsked: they may not; it says who may.
    """
    if caller.role is Role.ADMIN:
        return
    owners = record.owners(session)
    if caller.user not in owners:
        raise NotAsked(
            f"you have not asked for this {record.kind}; it can be changed by who did: "
            f"{', '.join(owners)}, and by admins; ask for it yourself, and it is yours too"
        )

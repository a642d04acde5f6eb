"""Adding users, changing them, making and revoking tokens: what may be asked for."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from rgcontract import FieldProblem
from rgcontract.people import MadeToken, NewToken, NewUser, Token, User, UserChange
from rgcontract.roles import Role
from rgservice.http.deps import require
from rgservice.http.errors import (
    Forbidden,
    InvalidSpec,
    LastAdmin,
    NotFound,
    TooManyTokens,
    UserDisabled,
    UserExists,
)
from rgservice.people.views import token_view, user_view
from rgstore import people, tokens
from rgstore.people import LastAdminError, NoUserError, UserExistsError
from rgstore.tables import TokenRow, UserRow
from rgstore.token_text import id_of
from rgstore.tokens import Caller, TooManyTokensError


def add(session: Session, caller: Caller, asked: NewUser) -> User:
    """A new user.

    Raises:
        UserExists: the name is taken.
    """
    try:
        return user_view(people.add_user(session, asked.name, asked.role, by=caller))
    except UserExistsError as error:
        raise UserExists(f"{asked.name} is there already; PATCH /v1/users/{asked.name}") from error


def change(session: Session, caller: Caller, name: str, asked: UserChange) -> User:
    """A user with another role or other quotas, disabled or enabled.

    Raises:
        NotFound: there is none. LastAdmin: nobody would be left who may do this.
    """
    try:
        changed = people.change_user(
            session,
            _without_nul(name),
            role=asked.role,
            disabled=asked.disabled,
            quotas={} if asked.quotas is None else asked.quotas.given,
            by=caller,
        )
    except NoUserError as error:
        raise _no_user(name) from error
    except LastAdminError as error:
        raise LastAdmin(
            f"{name} is the only admin who is not disabled; make another user one first"
        ) from error
    return user_view(changed)


def make(session: Session, caller: Caller, asked: NewToken) -> MadeToken:
    """A token for oneself, or by an admin for somebody else.

    None that one makes for oneself may do more, or lives longer, than the one that makes it.

    Raises:
        Forbidden: it is for somebody else, or above what it may be. InvalidSpec: it would have
            expired. NotFound, UserDisabled, TooManyTokens: as they say.
    """
    user = _whose(session, caller, asked.user)
    if asked.expires_at is not None and asked.expires_at <= datetime.now(UTC):
        passed = FieldProblem(field="expires_at", message="has passed", allowed="a later time")
        raise InvalidSpec.of([passed])
    most, latest = Role(user.role), asked.expires_at
    if user.name == caller.user:
        most, latest = caller.role, _not_after(caller.expires_at, asked.expires_at)
    role = most if asked.role is None else asked.role
    if not most.includes(role):
        raise Forbidden(
            f"this token of {user.name} may have the role {most} at most, which is that of its "
            "user or of the token that makes it; an admin sets the roles of users"
        )
    try:
        token = tokens.make_token(
            session, user.name, name=asked.name, role=role, expires_at=latest, by=caller
        )
    except TooManyTokensError as error:
        raise TooManyTokens(
            f"{user.name} has {tokens.MOST_TOKENS} valid tokens; revoke one (GET /v1/tokens)"
        ) from error
    made = token_view(_stored(session, id_of(token)))
    return MadeToken(**made.model_dump(), token=token)


def revoke(session: Session, caller: Caller, name: str) -> Token:
    """A token of one's own, or by an admin any, that is revoked from now on; again if it was.

    Who may only read with theirs revokes those that only read: a token that is shown on a
    dashboard shuts nobody out of what they may do.

    Raises:
        NotFound: there is none. Forbidden: it is somebody else's, or may do more.
    """
    row = _stored(session, name)
    _own(caller, row.owner)
    may = tokens.effective(row, people.user_of(session, row.owner))
    require(caller, may.at_most(Role.MEMBER))
    tokens.revoke(session, TokenRow.id == row.id, by=caller)
    session.refresh(row)
    return token_view(row)


def listed(session: Session, caller: Caller, owner: str | None) -> list[Token]:
    """Tokens of one's own, or by an admin of somebody else.

    Raises:
        NotFound: there is no such user. Forbidden: they are somebody else's.
    """
    user = _whose(session, caller, owner, disabled=True)
    return [token_view(row) for row in tokens.tokens_of(session, user.name)]


def _stored(session: Session, name: str) -> TokenRow:
    row = tokens.token_of(session, _without_nul(name))
    if row is None:
        # not shown: who mistakes the text for the id would have it in an answer
        raise NotFound("no token of this id, t- and 16 digits; GET /v1/tokens lists yours")
    return row


def _whose(
    session: Session, caller: Caller, name: str | None, *, disabled: bool = False
) -> UserRow:
    name = caller.user if name is None else name
    _own(caller, name)
    try:
        user = people.user_of(session, _without_nul(name))
    except NoUserError as error:
        raise _no_user(name) from error
    if user.disabled_at is not None and not disabled:
        raise UserDisabled(f"{name} is disabled; PATCH /v1/users/{name} enables them")
    return user


def _own(caller: Caller, owner: str) -> None:
    """Check that tokens are one's own, or that one is an admin."""
    if owner != caller.user:
        require(caller, Role.ADMIN)


def _not_after(bound: datetime | None, asked: datetime | None) -> datetime | None:
    if bound is not None and asked is not None and asked > bound:
        raise Forbidden(
            f"the token that makes this one stops at {bound:%Y-%m-%d %H:%M} UTC, and so must this; "
            "an admin, or `rglab token create` on the server, makes a longer one"
        )
    return bound if asked is None else asked


def _no_user(name: str) -> NotFound:
    return NotFound(f"no user {name[:80]!r}; GET /v1/users lists them")


def _without_nul(name: str) -> str:
    """A name as a database takes it: there is none with NUL in it."""
    return name.replace("\x00", "\ufffd")

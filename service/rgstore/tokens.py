"""Bearer tokens: made here, stored as digests, and whom each speaks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session

from rgcontract.audit import Action
from rgcontract.roles import Role
from rgstore import audit, clock
from rgstore.audit import Actor
from rgstore.tables import TokenRow, UserRow
from rgstore.token_text import digest_of, id_of, is_damaged, new_token

MOST_TOKENS = 100
"""Valid tokens of one user."""
NOTED_EVERY = timedelta(minutes=1)
"""A use within this time of the last that was noted is not noted: a write for each request would
be most of its cost."""


class InvalidTokenError(Exception):
    """A token speaks for nobody; the message says why, as the end of `the token ...`."""


class TooManyTokensError(Exception):
    """A user has as many valid tokens as there may be."""


@dataclass(frozen=True)
class Caller:
    """Who a request is from."""

    user: str
    role: Role
    """What they may do with this token: no more than the user, no more than the token."""
    token: str
    """Its id, which tells nothing of the token itself."""
    expires_at: datetime | None = None
    """When the token stops; None for never."""
    quotas: Mapping[str, Any] | None = field(default=None, compare=False)
    """Their own limits, as they are stored; None for none."""
    noted: bool = field(default=False, compare=False)
    """Whether its use was noted lately: then nothing has to be written for this one."""


def make_token(
    session: Session,
    owner: str,
    *,
    name: str = "unnamed",
    role: Role | None = None,
    expires_at: datetime | None = None,
    by: Actor | None = None,
) -> str:
    """A new token of a user. It is shown this once; only its digest is kept.

    Args:
        session: the transaction.
        owner: whose; who is no user yet becomes one, a member.
        name: what they call it.
        role: the most that it may be used for; the user's own if not given.
        expires_at: when it stops; None for never.
        by: who makes it, for the audit log; None writes nothing into it.

    Raises:
        TooManyTokensError: the user has `MOST_TOKENS` valid ones.
    """
    # locked: who counts at the same moment waits, and then sees this one
    user = session.get(UserRow, owner, with_for_update={"key_share": True}, populate_existing=True)
    valid = select(func.count()).where(TokenRow.owner == owner, is_valid())
    if session.scalars(valid).one() >= MOST_TOKENS:
        raise TooManyTokensError
    token = new_token()
    if role is None:
        role = Role.MEMBER if user is None else _known(user.role)
    row = TokenRow(
        digest=digest_of(token), owner=owner, name=name, role=role, expires_at=expires_at
    )
    session.add(row)
    session.flush()
    if by is not None:
        said = {"user": owner, "name": name, "role": role, "expires_at": _written(expires_at)}
        audit.record(session, by, Action.TOKEN_CREATE, id_of(token), None, said)
    return token


def _written(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def caller_of(session: Session, token: str) -> Caller:
    """Whom a token speaks for at this moment. Nothing is remembered from one call to the next.

    Raises:
        InvalidTokenError: nobody.
    """
    if is_damaged(token):
        raise InvalidTokenError("is not whole: it was cut short or mistyped")
    found = _with_user(session, TokenRow.digest == digest_of(token))
    if found is None:
        raise InvalidTokenError("is unknown")
    return found


def still(session: Session, caller: Caller) -> Caller:
    """The same caller as they are at this moment.

    Raises:
        InvalidTokenError: their token does not speak for them any more.
    """
    found = _with_user(session, TokenRow.id == caller.token)
    if found is None:
        raise InvalidTokenError("is unknown")
    return found


def _with_user(session: Session, which: ColumnElement[bool]) -> Caller | None:
    expired = TokenRow.expires_at <= clock.instant()
    found = session.execute(
        select(TokenRow, UserRow, expired, _is_stale())
        .join(UserRow, UserRow.name == TokenRow.owner)
        .where(which)
    ).one_or_none()
    if found is None:
        return None
    token, user, is_over, is_stale = found
    if token.revoked_at is not None:
        raise InvalidTokenError("was revoked")
    if is_over:
        raise InvalidTokenError(f"expired on {token.expires_at:%Y-%m-%d}")
    if user.disabled_at is not None:
        raise InvalidTokenError(f"is of {user.name}, who is disabled")
    role = effective(token, user)
    return Caller(
        user.name, role, token.id, token.expires_at, quotas=user.quotas, noted=not is_stale
    )


def effective(token: TokenRow, user: UserRow) -> Role:
    """What a token may be used for: no more than its user may, nor than it says."""
    return _known(token.role).at_most(_known(user.role))


def _known(role: str) -> Role:
    """A role; of one that only a newer release has, what any may do."""
    return Role(role) if role in {*Role} else Role.READER


def _is_stale() -> ColumnElement[bool]:
    """Whether a use of a token is to be noted."""
    used = TokenRow.last_used_at
    return or_(used.is_(None), used < clock.ago(NOTED_EVERY))


def note_use(session: Session, caller: Caller) -> None:
    """Note that a token is in use, now and then. Whoever else writes its row is not waited for."""
    row = TokenRow
    mine = (
        select(row.digest)
        .where(row.id == caller.token, _is_stale())
        .with_for_update(skip_locked=True)
    ).scalar_subquery()
    session.execute(
        update(row)
        .where(row.digest == mine)
        .values(last_used_at=clock.instant())
        .execution_options(synchronize_session=False)
    )


def is_valid() -> ColumnElement[bool]:
    """Whether a token is neither revoked nor expired."""
    row = TokenRow
    in_time = or_(row.expires_at.is_(None), row.expires_at > clock.instant())
    return and_(row.revoked_at.is_(None), in_time)


def tokens_of(session: Session, owner: str | None = None) -> Sequence[TokenRow]:
    """Those that are not revoked, oldest first.

    Args:
        session: to read in.
        owner: of this user; None for all.
    """
    row = TokenRow
    of_owner = [] if owner is None else [row.owner == owner]
    return session.scalars(
        select(row).where(row.revoked_at.is_(None), *of_owner).order_by(row.created_at, row.digest)
    ).all()


def token_of(session: Session, name: str) -> TokenRow | None:
    """A token by its id, whatever became of it."""
    return session.scalars(select(TokenRow).where(TokenRow.id == name)).one_or_none()


def revoke(session: Session, *which: ColumnElement[bool], by: Actor | None = None) -> int:
    """Revoke tokens, from this moment. Returns how many were not revoked yet.

    Args:
        session: the transaction.
        which: of them.
        by: who revokes them, for the audit log; None writes nothing into it.
    """
    revoked = session.execute(
        update(TokenRow)
        .where(TokenRow.revoked_at.is_(None), *which)
        .values(revoked_at=clock.now())
        .returning(TokenRow.id, TokenRow.owner)
        .execution_options(synchronize_session=False)
    ).all()
    if by is not None:
        was, now = {"revoked": False}, {"revoked": True}
        changes = [
            audit.Change(name, {"user": owner, **was}, {"user": owner, **now})
            for name, owner in sorted(map(tuple, revoked))
        ]
        audit.record_all(session, by, Action.TOKEN_REVOKE, changes)
    return len(revoked)

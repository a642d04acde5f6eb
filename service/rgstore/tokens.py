"""Bearer tokens: made here, stored as digests."""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from rgstore import clock
from rgstore.tables import TokenRow


def make_token(session: Session, owner: str) -> str:
    """A new token of an owner. It is shown this once; only its digest is kept."""
    token = f"rgl_{secrets.token_urlsafe(32)}"
    session.add(TokenRow(digest=_digest(token), owner=owner))
    return token


def owner_of(session: Session, token: str) -> str | None:
    """Whose token this is; None if it is unknown or revoked."""
    row = session.get(TokenRow, _digest(token))
    return None if row is None or row.revoked_at is not None else row.owner


def revoke_tokens(session: Session, owner: str) -> int:
    """Revoke every token of an owner. Returns how many."""
    revoked = session.scalars(
        update(TokenRow)
        .where(TokenRow.owner == owner, TokenRow.revoked_at.is_(None))
        .values(revoked_at=clock.now())
        .returning(TokenRow.digest)
        .execution_options(synchronize_session=False)
    ).all()
    return len(revoked)


def owners(session: Session) -> list[tuple[str, int]]:
    """(owner, valid tokens), by name."""
    rows = session.execute(
        select(TokenRow.owner, func.count())
        .where(TokenRow.revoked_at.is_(None))
        .group_by(TokenRow.owner)
        .order_by(TokenRow.owner)
    )
    return [(owner, count) for owner, count in rows]


def _digest(token: str) -> str:
    # the token is 256 random bits, so a plain hash is as good as a slow one
    return hashlib.sha256(token.encode()).hexdigest()

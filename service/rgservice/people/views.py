"""Users and tokens as they are answered."""

from __future__ import annotations

from rgcontract.people import Me, Token, User
from rgcontract.quotas import QuotaUse, known
from rgcontract.roles import Role
from rgcontract.unknown import as_told
from rgstore.tables import TokenRow, UserRow
from rgstore.tokens import Caller


def me(caller: Caller, quotas: list[QuotaUse]) -> Me:
    """Who asks."""
    return Me(
        user=caller.user,
        role=caller.role,
        token=caller.token,
        expires_at=caller.expires_at,
        quotas=quotas,
    )


def user_view(row: UserRow) -> User:
    """A user."""
    return User(
        name=row.name,
        role=as_told(Role, row.role),
        created_at=row.created_at,
        disabled_at=row.disabled_at,
        quotas=dict(known(row.quotas or {})),
    )


def token_view(row: TokenRow) -> Token:
    """A token, without its text."""
    return Token(
        id=row.id,
        user=row.owner,
        name=row.name,
        role=as_told(Role, row.role),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )

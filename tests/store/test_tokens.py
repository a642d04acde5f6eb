"""Tokens are kept as digests and can be revoked."""

from __future__ import annotations

from sqlalchemy import select

from rgstore.database import Database
from rgstore.tables import TokenRow
from rgstore.tokens import make_token, owner_of, owners, revoke_tokens


def test_a_token_names_its_owner(database: Database) -> None:
    with database.begin() as session:
        token = make_token(session, "alice")
        assert owner_of(session, token) == "alice"
        assert owner_of(session, token + "x") is None


def test_the_token_itself_is_not_stored(database: Database) -> None:
    with database.begin() as session:
        token = make_token(session, "alice")
        session.flush()
        assert token not in session.scalars(select(TokenRow.digest)).one()


def test_revoked_tokens_are_nobodys(database: Database) -> None:
    with database.begin() as session:
        tokens = [make_token(session, "alice") for _ in range(2)]
        other = make_token(session, "bob")
    with database.begin() as session:
        assert revoke_tokens(session, "alice") == 2
    with database.begin() as session:
        assert [owner_of(session, token) for token in (*tokens, other)] == [None, None, "bob"]
        assert owners(session) == [("bob", 1)]

"""Tokens are kept as digests, speak for a user within bounds, and can be revoked each by itself."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from rgstore.database import Database
from rgstore.tables import TokenRow
from rgstore.tokens import InvalidTokenError, caller_of, make_token


def test_a_token_names_its_user(database: Database) -> None:
    with database.begin() as session:
        token = make_token(session, "alice")
        assert caller_of(session, token).user == "alice"


def test_the_token_itself_is_not_stored(database: Database) -> None:
    with database.begin() as session:
        token = make_token(session, "alice")
        assert token not in session.scalars(select(TokenRow.digest)).one()


def test_a_token_that_nobody_made_is_nobodys(database: Database) -> None:
    with database.begin() as session, pytest.raises(InvalidTokenError, match="unknown"):
        caller_of(session, "rgl_x")

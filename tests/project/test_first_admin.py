"""Who starts a lab on their machine is its admin, and their token is kept from start to start."""

from __future__ import annotations

from typing import Any

import pytest

from rgcontract.credentials import Credentials
from rgcontract.roles import Role
from rglab.embedded.lab import local_token
from rgstore import people, tokens
from rgstore.database import Database
from rgstore.tables import TokenRow
from rgstore.token_text import id_of
from rgstore.tokens import caller_of, make_token


def _started(database: Database, known: str | None = None, user: str = "ada") -> tuple[str, Any]:
    """The token that a start leaves, and whom it speaks for."""
    stored = None if known is None else Credentials(url="http://lab.test", token=known)
    with database.begin() as session:
        token = local_token(session, user, stored)
        return token, caller_of(session, token)


def test_the_first_start_makes_an_admin(database: Database) -> None:
    _, caller = _started(database)
    assert (caller.user, caller.role) == ("ada", Role.ADMIN)


def test_the_next_start_takes_the_same_token(database: Database) -> None:
    first, _ = _started(database)
    assert _started(database, first)[0] == first


def test_a_lab_of_before_gets_its_admin_and_an_admins_token(database: Database) -> None:
    with database.begin() as session:
        before = make_token(session, "ada")
    token, caller = _started(database, before)
    assert (caller.user, caller.role, token != before) == ("ada", Role.ADMIN, True)
    with database.begin() as session:
        assert caller_of(session, before).role is Role.MEMBER  # it goes on working


def test_where_there_is_an_admin_another_user_stays_what_they_are(database: Database) -> None:
    _started(database)
    _, caller = _started(database, user="ben")
    assert (caller.user, caller.role) == ("ben", Role.MEMBER)


@pytest.mark.parametrize("gone", ["revoked", "of another", "damaged"])
def test_a_token_that_serves_no_more_is_replaced(database: Database, gone: str) -> None:
    first, _ = _started(database)
    with database.begin() as session:
        people.add_user(session, "ben", Role.ADMIN)
        if gone == "revoked":
            tokens.revoke(session, TokenRow.id == id_of(first))
        known = make_token(session, "ben") if gone == "of another" else first
    token, caller = _started(database, known[:-1] if gone == "damaged" else known)
    assert (token != known, caller.user, caller.role) == (True, "ada", Role.ADMIN)

"""Who had a token is a member from the migration on, and their token goes on working."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from blocked import until_blocked
from sqlalchemy import create_engine, make_url, text

from migrations import upgrade
from rgcontract.roles import Role
from rgstore import people
from rgstore.database import Database
from rgstore.token_text import digest_of
from rgstore.tokens import InvalidTokenError, caller_of

OLD, GONE, LATER = ("rgl_" + letter * 43 for letter in "ogl")
TOKEN = "INSERT INTO tokens (digest, owner, revoked_at) VALUES (:digest, :owner, :revoked)"


@pytest.fixture
def url(admin: Any, postgres: str) -> Iterator[str]:
    """Of a database of the release before, in which two people have tokens."""
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE before_people"))
    url = make_url(postgres).set(database="before_people").render_as_string(hide_password=False)
    upgrade(url, "0009")
    _insert(url, digest=digest_of(OLD), owner="an owner", revoked=None)
    _insert(url, digest=digest_of(GONE), owner="bob", revoked="2026-01-01")
    yield url
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE before_people WITH (FORCE)"))


def _insert(url: str, **row: Any) -> None:
    """A token, as the release before makes one."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(TOKEN), row)
    engine.dispose()


@pytest.fixture
def migrated(url: str) -> Iterator[Database]:
    """The same after the migration, and those that came later."""
    upgrade(url)
    database = Database(url)
    yield database
    database.dispose()


def test_everybody_who_was_there_is_a_member(migrated: Database) -> None:
    with migrated.begin() as session:
        found = {one.name: (one.role, one.disabled_at) for one in people.users(session)}
    assert found == {"an owner": ("member", None), "bob": ("member", None)}


def test_a_token_of_before_works_and_one_that_was_revoked_does_not(migrated: Database) -> None:
    with migrated.begin() as session:
        caller = caller_of(session, OLD)
        assert (caller.user, caller.role, caller.expires_at) == ("an owner", Role.MEMBER, None)
        with pytest.raises(InvalidTokenError, match="was revoked"):
            caller_of(session, GONE)


def test_the_release_before_makes_tokens_that_work_for_somebody_new(
    migrated: Database, url: str
) -> None:
    _insert(url, digest=digest_of(LATER), owner="new", revoked=None)
    with migrated.begin() as session:
        assert caller_of(session, LATER).user == "new"


def test_the_migration_waits_for_whoever_makes_a_token_at_that_moment(url: str) -> None:
    """It locks the table before it looks who has one: else the new one would have no user."""
    database, writer = Database(url), create_engine(url)
    with ThreadPoolExecutor(1) as pool:
        with writer.begin() as connection:
            connection.execute(text(TOKEN), {"digest": "d", "owner": "late", "revoked": None})
            migrating = pool.submit(upgrade, url, "0010")
            until_blocked(database)
        migrating.result()
    upgrade(url)
    with database.begin() as session:
        assert people.user_of(session, "late").role == "member"
    database.dispose()
    writer.dispose()

"""Tokens: how they read, what is kept of them, whom they speak for and for how long."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from blocked import until_blocked
from set_clock import NOON, SetClock
from sqlalchemy import select, text

from rgcontract.roles import Role
from rgstore import people, tokens
from rgstore.database import Database
from rgstore.tables import TokenRow, UserRow
from rgstore.token_text import PATTERN, RANDOM_BYTES, digest_of, id_of, is_damaged, new_token
from rgstore.tokens import Caller, InvalidTokenError, TooManyTokensError, caller_of, make_token

DAY = timedelta(days=1)


def test_a_token_is_found_by_its_pattern_and_has_256_random_bits() -> None:
    made = {new_token() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(PATTERN, token) for token in made)
    assert RANDOM_BYTES * 8 >= 256
    drawn = {token.removeprefix("rglab_")[:64] for token in made}
    for place in range(64):  # no digit is always the same: 1e-118 if it is random
        assert len({digits[place] for digits in drawn}) > 1


@pytest.mark.parametrize("place", [6, 40, 69, 70, 77])
def test_a_digit_that_is_wrong_anywhere_is_seen(place: int) -> None:
    token = new_token()
    other = "0" if token[place] != "0" else "1"
    assert not is_damaged(token)
    assert is_damaged(token[:place] + other + token[place + 1 :])
    assert is_damaged(token[:place])


def test_a_token_of_before_has_no_checksum_to_be_wrong() -> None:
    assert not is_damaged("rgl_" + "x" * 43)


def _why(database: Database, token: str) -> str | None:
    """Why a token speaks for nobody, if it does not."""
    with database.begin() as session:
        try:
            caller_of(session, token)
        except InvalidTokenError as error:
            return str(error)
    return None


def _made(database: Database, **fields: Any) -> str:
    with database.begin() as session:
        return make_token(session, "alice", **fields)


def test_a_token_speaks_for_its_user_as_what_both_may(database: Database) -> None:
    with database.begin() as session:
        people.add_user(session, "alice", Role.ADMIN)
        whole, part = make_token(session, "alice"), make_token(session, "alice", role=Role.READER)
        assert caller_of(session, whole) == Caller("alice", Role.ADMIN, id_of(whole))
        assert caller_of(session, part) == Caller("alice", Role.READER, id_of(part))
        people.add_user(session, "root", Role.ADMIN)
        people.change_user(session, "alice", role=Role.MEMBER)
        assert caller_of(session, whole).role is Role.MEMBER
        people.change_user(session, "alice", role=Role.READER)
        assert caller_of(session, whole).role is Role.READER
        people.change_user(session, "alice", role=Role.ADMIN)
        assert caller_of(session, part).role is Role.READER


def test_a_token_of_a_member_stays_that_when_its_user_becomes_an_admin(database: Database) -> None:
    token = _made(database)
    with database.begin() as session:
        people.change_user(session, "alice", role=Role.ADMIN)
        assert caller_of(session, token).role is Role.MEMBER


def test_only_the_digest_is_stored(database: Database) -> None:
    token = _made(database)
    with database.begin() as session:
        (row,) = session.scalars(text("SELECT to_jsonb(one)::text FROM tokens one"))
        assert digest_of(token) in row
        assert token not in row
        assert token.removeprefix("rglab_")[:16] not in row


def test_a_token_is_called_by_the_first_digits_of_its_digest(database: Database) -> None:
    token = _made(database, name="laptop")
    with database.begin() as session:
        found = tokens.token_of(session, id_of(token))
        assert found is not None
        assert (found.name, found.id) == ("laptop", f"t-{found.digest[:16]}")


def test_a_token_is_revoked_by_itself(database: Database) -> None:
    kept, gone = _made(database), _made(database)
    with database.begin() as session:
        assert tokens.revoke(session, TokenRow.id == id_of(gone)) == 1
        assert tokens.revoke(session, TokenRow.id == id_of(gone)) == 0
    assert (_why(database, kept), _why(database, gone)) == (None, "was revoked")


def test_a_token_expires_to_the_second(database: Database) -> None:
    clock = SetClock(database)
    clock.at(NOON)
    token = _made(database, expires_at=NOON + DAY)
    clock.at(NOON + DAY - timedelta(seconds=1))
    assert _why(database, token) is None
    clock.at(NOON + DAY)
    assert _why(database, token) == "expired on 2030-01-02"


def test_tokens_of_a_disabled_user_speak_for_nobody_until_they_are_enabled(
    database: Database,
) -> None:
    token = _made(database)
    for disabled, why in ((True, "is of alice, who is disabled"), (False, None)):
        with database.begin() as session:
            people.change_user(session, "alice", disabled=disabled)
        assert _why(database, token) == why


@pytest.mark.parametrize("token", ["", "x", "rgl_x", "Bearer", "ü"])
def test_a_text_that_nobody_made_is_nobodys(database: Database, token: str) -> None:
    assert _why(database, token) == "is unknown"


def _used(database: Database) -> Any:
    with database.begin() as session:
        return session.scalars(select(TokenRow.last_used_at)).one()


def test_the_last_use_is_known_to_within_a_minute(database: Database) -> None:
    clock = SetClock(database)
    clock.at(NOON)
    token = _made(database)
    assert _used(database) is None
    for later, noted in ((0, 0), (59, 0), (61, 61), (62, 61)):
        clock.at(NOON + timedelta(seconds=later))
        with database.begin() as session:
            tokens.note_use(session, caller_of(session, token))
        assert _used(database) == NOON + timedelta(seconds=noted)


def test_noting_a_use_waits_for_nobody(database: Database) -> None:
    token = _made(database)
    with database.begin() as other, database.begin() as session:
        other.scalars(select(TokenRow).with_for_update()).one()
        tokens.note_use(session, caller_of(session, token))  # would wait: both are this thread
    assert _used(database) is None


def test_a_user_has_a_hundred_valid_tokens_at_most(database: Database) -> None:
    clock = SetClock(database)
    clock.at(NOON)
    with database.begin() as session:
        made = [
            make_token(session, "alice", expires_at=NOON + DAY) for _ in range(tokens.MOST_TOKENS)
        ]
    with pytest.raises(TooManyTokensError):
        _made(database)
    with database.begin() as session:
        tokens.revoke(session, TokenRow.id == id_of(made[0]))
    _made(database)
    with pytest.raises(TooManyTokensError):
        _made(database)
    clock.at(NOON + DAY)
    _made(database)  # those that have expired do not count


def test_of_two_tokens_made_at_once_the_second_is_counted_with_the_first(
    database: Database,
) -> None:
    with database.begin() as session:
        for _ in range(tokens.MOST_TOKENS - 1):
            make_token(session, "alice")
    with ThreadPoolExecutor(1) as pool:
        with database.begin() as session:
            make_token(session, "alice")
            other = pool.submit(_made, database)
            until_blocked(database)
        with pytest.raises(TooManyTokensError):
            other.result()


def test_a_row_that_names_no_user_makes_one_a_member(database: Database) -> None:
    """As the release before writes it, which knows no users."""
    with database.begin() as session:
        session.execute(text("INSERT INTO tokens (digest, owner) VALUES ('d', 'old')"))
        user = session.get_one(UserRow, "old")
        assert (user.role, user.disabled_at) == ("member", None)
        assert [row.name for row in tokens.tokens_of(session, "old")] == ["unnamed"]


def test_a_role_that_only_a_newer_release_has_is_that_of_a_reader(database: Database) -> None:
    token = _made(database)
    with database.begin() as session:
        session.execute(text("ALTER TABLE users DROP CONSTRAINT ck_users_role"))
        session.get_one(UserRow, "alice").role = "curator"
        session.flush()
        session.expire_all()
        assert caller_of(session, token).role is Role.READER

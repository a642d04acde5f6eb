"""Users: roles, who is disabled, and that an admin is left whatever is asked at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from blocked import until_blocked

from rgcontract.roles import Role
from rgstore import people
from rgstore.database import Database
from rgstore.people import LastAdminError, NoUserError, UserExistsError


def _add(database: Database, **roles: Role | None) -> None:
    with database.begin() as session:
        for name, role in roles.items():
            people.add_user(session, name, role)


def _roles(database: Database) -> dict[str, str]:
    """Of all who are not disabled."""
    with database.begin() as session:
        return {one.name: one.role for one in people.users(session) if one.disabled_at is None}


def _change(database: Database, name: str, **fields: Any) -> None:
    with database.begin() as session:
        people.change_user(session, name, **fields)


def test_each_role_may_what_those_before_it_may() -> None:
    for lower, higher in ((Role.READER, Role.MEMBER), (Role.MEMBER, Role.ADMIN)):
        assert set(lower.may) < set(higher.may)
        assert higher.includes(lower)
        assert not lower.includes(higher)
        assert higher.at_most(lower) is lower.at_most(higher) is lower
    assert all(role.includes(role) for role in Role)


def test_the_first_user_is_the_admin_and_others_are_members(database: Database) -> None:
    _add(database, ada=None, ben=None, cleo=Role.READER)
    assert _roles(database) == {"ada": "admin", "ben": "member", "cleo": "reader"}


def test_a_name_is_one_users(database: Database) -> None:
    _add(database, ada=None)
    with pytest.raises(UserExistsError):
        _add(database, ada=Role.READER)
    assert _roles(database) == {"ada": "admin"}


def test_what_is_not_said_of_a_user_stays(database: Database) -> None:
    _add(database, ada=None, ben=Role.READER)
    _change(database, "ben", disabled=True)
    _change(database, "ben", role=Role.MEMBER)
    assert _roles(database) == {"ada": "admin"}
    _change(database, "ben", disabled=False)
    assert _roles(database) == {"ada": "admin", "ben": "member"}


def test_a_user_who_is_not_there_is_not_changed(database: Database) -> None:
    with pytest.raises(NoUserError):
        _change(database, "ada", role=Role.ADMIN)
    with pytest.raises(NoUserError), database.begin() as session:
        people.user_of(session, "ada")


LEAVES = [{"role": Role.MEMBER}, {"role": Role.READER}, {"disabled": True}]


@pytest.mark.parametrize("leaves", LEAVES)
def test_the_last_admin_stays_one(database: Database, leaves: dict[str, Any]) -> None:
    _add(database, ada=None, ben=None, old=Role.ADMIN)
    _change(database, "old", disabled=True)  # who cannot set a role is no admin to count on
    with pytest.raises(LastAdminError):
        _change(database, "ada", **leaves)
    assert _roles(database)["ada"] == "admin"
    _change(database, "ben", role=Role.ADMIN)
    _change(database, "ada", **leaves)
    assert _roles(database).get("ada") != "admin"


def test_who_is_no_admin_may_leave_whoever_is_left(database: Database) -> None:
    _add(database, ada=None, ben=None)
    _change(database, "ben", role=Role.READER, disabled=True)
    _change(database, "ada", role=Role.ADMIN, disabled=False)
    assert _roles(database) == {"ada": "admin"}


@pytest.mark.parametrize("leaves", LEAVES)
def test_of_two_admins_who_leave_at_once_one_stays(
    database: Database, leaves: dict[str, Any]
) -> None:
    _add(database, ada=None, ben=Role.ADMIN)
    with ThreadPoolExecutor(1) as pool:
        with database.begin() as session:
            people.change_user(session, "ada", **leaves)
            other = pool.submit(_change, database, "ben", **leaves)
            until_blocked(database)
        with pytest.raises(LastAdminError):
            other.result()
    assert _roles(database)["ben"] == "admin"

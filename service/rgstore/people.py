"""Users: who there is, and what each may do. One who was there stays: records bear their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from rgcontract.audit import Action
from rgcontract.quotas import Amount
from rgcontract.roles import Role
from rgstore import audit, clock
from rgstore.audit import Actor
from rgstore.tables import UserRow


class NoUserError(Exception):
    """There is no user of this name."""


class UserExistsError(Exception):
    """There is a user of this name already."""


class LastAdminError(Exception):
    """Nobody would be left who may set roles."""


def users(session: Session) -> Sequence[UserRow]:
    """All of them, by name."""
    return session.scalars(select(UserRow).order_by(UserRow.name)).all()


def user_of(session: Session, name: str) -> UserRow:
    """A user by their name.

    Raises:
        NoUserError: there is none.
    """
    user = session.get(UserRow, name)
    if user is None:
        raise NoUserError
    return user


def ensure_user(session: Session, name: str) -> None:
    """Have a user of this name: a member if they are new."""
    session.execute(insert(UserRow).values(name=name).on_conflict_do_nothing())


def add_user(
    session: Session, name: str, role: Role | None = None, *, by: Actor | None = None
) -> UserRow:
    """A new user.

    Args:
        session: the transaction.
        name: which nobody has.
        role: theirs; if not given, the first user of a lab is its admin, and others are members.
        by: who adds them, for the audit log; None writes nothing into it.

    Raises:
        UserExistsError: the name is taken.
    """
    if role is None:
        role = Role.MEMBER if session.scalar(select(exists(select(UserRow)))) else Role.ADMIN
    new = insert(UserRow).values(name=name, role=role).on_conflict_do_nothing()
    added = session.scalars(new.returning(UserRow)).one_or_none()
    if added is None:
        raise UserExistsError
    if by is not None:
        audit.record(session, by, Action.USER_ADD, name, None, {"role": added.role})
    return added


def change_user(
    session: Session,
    name: str,
    *,
    role: Role | None = None,
    disabled: bool | None = None,
    quotas: Mapping[str, Amount | None] = MappingProxyType({}),
    by: Actor | None = None,
) -> UserRow:
    """Set a user's role, quotas, or whether they may use the lab. What is not given stays.

    Args:
        session: the transaction.
        name: of the user.
        role: from now on; no token of theirs may do more.
        disabled: whether their tokens speak for nobody. Their runs go on.
        quotas: limits of their own; None takes one away, and that of the lab holds.
        by: who changes them, for the audit log; None writes nothing into it.

    Raises:
        NoUserError: there is none.
        LastAdminError: no admin would be left.
    """
    row = UserRow
    is_admin = and_(row.role == Role.ADMIN, row.disabled_at.is_(None))
    # all admins are locked, in one order: of two who leave at once the second sees the first gone
    locked = session.scalars(
        select(row)
        .where(or_(row.name == name, is_admin))
        .order_by(row.name)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    user = next((one for one in locked if one.name == name), None)
    if user is None:
        raise NoUserError
    was_disabled = user.disabled_at is not None
    role = Role(user.role) if role is None else role
    disabled = was_disabled if disabled is None else disabled
    leaves = user.role == Role.ADMIN and not was_disabled and (role != Role.ADMIN or disabled)
    if leaves and len(locked) == 1:
        raise LastAdminError
    had, had_quotas = user.role, user.quotas or {}
    user.role = role
    own = {name: limit for name, limit in {**had_quotas, **quotas}.items() if limit is not None}
    if own != had_quotas:
        user.quotas = own
    if disabled != was_disabled:
        user.disabled_at = session.scalar(select(clock.now())) if disabled else None
    session.flush()
    if by is not None and role != had:
        audit.record(session, by, Action.USER_UPDATE, name, {"role": had}, {"role": role})
    if by is not None and own != had_quotas:
        was, now = {"quotas": had_quotas}, {"quotas": own}
        audit.record(session, by, Action.USER_UPDATE, name, was, now)
    if by is not None and disabled != was_disabled:
        action = Action.USER_DISABLE if disabled else Action.USER_ENABLE
        before, after = {"disabled": was_disabled}, {"disabled": disabled}
        audit.record(session, by, action, name, before, after)
    return user


def has_admin(session: Session) -> bool:
    """Whether anybody may set roles."""
    row = UserRow
    found = exists(select(row).where(row.role == Role.ADMIN, row.disabled_at.is_(None)))
    return bool(session.scalar(select(found)))

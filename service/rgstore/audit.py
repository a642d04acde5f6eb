"""The audit log: every change that a person makes is written in the transaction that makes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import literal, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from rgcontract.audit import Action
from rgstore import clock
from rgstore.recordset import recordset
from rgstore.tables import AuditRow

Said = Mapping[str, Any] | None
"""What of a thing was changed, as JSON; None where it was not there, or is gone."""


class Actor(Protocol):
    """Who makes a change."""

    @property
    def user(self) -> str:
        """Their name."""

    @property
    def token(self) -> str | None:
        """Id of the token that was used; None on the server itself."""


@dataclass(frozen=True)
class Console:
    """Who is on the server's own machine and needs no token there."""

    user: str = "(operator)"  # no user can be called that
    token: None = None


OPERATOR = Console()


@dataclass(frozen=True)
class Change:
    """What became of one thing."""

    target: str
    before: Said
    after: Said


def record(
    session: Session, actor: Actor, action: Action, target: str, before: Said, after: Said
) -> None:
    """Write down one change: `record_all` of it alone."""
    record_all(session, actor, action, [Change(target, before, after)])


def record_all(session: Session, actor: Actor, action: Action, changes: Sequence[Change]) -> None:
    """Write down changes, by one statement however many they are.

    Args:
        session: the transaction that makes them.
        actor: who makes them.
        action: what is done.
        changes: of what, from what to what. Never the text of a token: all may read the log.
    """
    if not changes:
        return
    row = AuditRow
    rows = recordset([vars(one) for one in changes], row.target, row.before, row.after)
    values = {
        **dict(rows.c.items()),
        "who": literal(actor.user),
        "token_id": literal(actor.token, row.token_id.type),
        "action": literal(action.value),
        "at": clock.now(),
    }
    session.execute(insert(row).from_select(list(values), select(*values.values())))


@dataclass(frozen=True)
class Asked:
    """What a page of the log is narrowed to; None asks for any."""

    who: str | None = None
    action: str | None = None
    target: str | None = None
    since: datetime | None = None


def page(
    session: Session, asked: Asked, *, after: tuple[datetime, int] | None, limit: int
) -> Sequence[AuditRow]:
    """A page of the log, newest first.

    Args:
        session: to read in.
        asked: what it is narrowed to.
        after: the (at, id) of the last one of the page before.
        limit: how many at most.
    """
    row = AuditRow
    same = {row.who: asked.who, row.action: asked.action, row.target: asked.target}
    narrowed = [column == value for column, value in same.items() if value is not None]
    if asked.since is not None:
        narrowed.append(row.at >= asked.since)
    if after is not None:
        narrowed.append(tuple_(row.at, row.id) < after)
    newest = select(row).where(*narrowed).order_by(row.at.desc(), row.id.desc())
    return session.scalars(newest.limit(limit)).all()

"""The audit log: what it keeps, and that nobody changes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from set_clock import NOON, SetClock
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from rgcontract.audit import Action
from rgstore import audit
from rgstore.audit import Asked, Change, Console
from rgstore.database import Database


@dataclass(frozen=True)
class Person:
    user: str
    token: str | None = "t-1"


ADA, BOB = Person("ada"), Person("bob", "t-2")


def _record(database: Database, actor: Any, action: Action, target: str) -> None:
    with database.begin() as session:
        audit.record(session, actor, action, target, {"label": None}, {"label": "é"})


def _read(database: Database, *, limit: int = 10, after: Any = None, **asked: Any) -> Any:
    with database.begin() as session:
        return audit.page(session, Asked(**asked), after=after, limit=limit)


def test_a_change_says_who_what_when_by_which_token_from_what_to_what(database: Database) -> None:
    clock = SetClock(database)
    clock.at()
    _record(database, ADA, Action.EXPERIMENT_UPDATE, "e-1")
    (row,) = _read(database)
    assert (row.who, row.token_id, row.at) == ("ada", "t-1", NOON)
    assert (row.action, row.target) == ("experiment.update", "e-1")
    assert (row.before, row.after) == ({"label": None}, {"label": "é"})


def test_what_was_not_there_or_is_gone_has_no_words(database: Database) -> None:
    with database.begin() as session:
        changes = [Change("e-1", None, {"seeds": [0]}), Change("e-2", {"seeds": [0]}, None)]
        audit.record_all(session, Console(), Action.EXPERIMENT_SUBMIT, changes)
    with database.begin() as session:
        rows = session.execute(text("SELECT before IS NULL, after IS NULL FROM audit ORDER BY id"))
        assert [tuple(row) for row in rows] == [(True, False), (False, True)]


def test_what_is_rolled_back_is_not_in_the_log(database: Database) -> None:
    def cancel_and_fail() -> None:
        with database.begin() as session:
            audit.record(session, ADA, Action.EXPERIMENT_CANCEL, "e-1", None, None)
            raise LookupError

    with pytest.raises(LookupError):
        cancel_and_fail()
    assert _read(database) == []


@pytest.mark.parametrize(
    "statement", ["UPDATE audit SET who = 'eve'", "DELETE FROM audit", "TRUNCATE audit"]
)
def test_nobody_changes_or_deletes_what_is_written(database: Database, statement: str) -> None:
    _record(database, ADA, Action.EXPERIMENT_CANCEL, "e-1")
    with pytest.raises(DBAPIError, match="only added to"), database.begin() as session:
        session.execute(text(statement))
    assert [row.who for row in _read(database)] == ["ada"]


def test_pages_go_on_where_the_last_one_ended(database: Database) -> None:
    clock = SetClock(database)
    clock.at()  # all at one moment: the order is that of their ids then
    for number in range(5):
        _record(database, ADA, Action.EXPERIMENT_UPDATE, f"e-{number}")
    read: list[str] = []
    after = None
    while rows := _read(database, limit=2, after=after):
        read += [row.target for row in rows]
        after = (rows[-1].at, rows[-1].id)
    assert read == ["e-4", "e-3", "e-2", "e-1", "e-0"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"who": "bob"}, ["s-1"]),
        ({"action": "experiment.cancel"}, ["e-2", "e-1"]),
        ({"target": "e-1"}, ["e-1"]),
        ({"since": NOON}, ["s-1", "e-2", "e-1"]),
        ({"who": "bob", "target": "e-1"}, []),
        ({}, ["s-1", "e-2", "e-1"]),
    ],
)
def test_a_page_is_narrowed_to_what_is_asked(
    database: Database, asked: dict[str, Any], found: list[str]
) -> None:
    clock = SetClock(database)
    clock.at()
    _record(database, ADA, Action.EXPERIMENT_CANCEL, "e-1")
    _record(database, ADA, Action.EXPERIMENT_CANCEL, "e-2")
    _record(database, BOB, Action.STUDY_CANCEL, "s-1")
    assert [row.target for row in _read(database, **asked)] == found


def test_what_was_done_before_is_not_since(database: Database) -> None:
    clock = SetClock(database)
    clock.at()
    _record(database, ADA, Action.EXPERIMENT_CANCEL, "e-1")
    clock.forward(seconds=1)
    _record(database, ADA, Action.EXPERIMENT_CANCEL, "e-2")
    (row,) = _read(database, limit=1)
    assert [found.target for found in _read(database, since=row.at)] == ["e-2"]

"""Once an hour a worker looks for rows that cannot be right, and logs them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from lab_processes import until
from sqlalchemy import select, update

from rgstore import inspections
from rgstore.database import Database
from rgstore.invariants import INVARIANTS
from rgstore.tables import RunRow
from rgstore.workers import worker_seen
from rgworker.inspecting import MOST_LOGGED, Inspector


@pytest.fixture
def errors(caplog: pytest.LogCaptureFixture) -> Any:
    """What was logged as an error."""

    def _errors() -> list[str]:
        return [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]

    return _errors


def _damage(database: Any) -> list[int]:
    with database.begin() as session:
        session.execute(update(RunRow).values(attempt_limit=0))
        return list(session.scalars(select(RunRow.id).order_by(RunRow.id)))


def test_where_all_is_right_nothing_is_logged(
    database: Database, put: Callable[..., list[int]], errors: Any
) -> None:
    put(seeds=2)
    Inspector(database, "w1").once()
    assert errors() == []


def test_a_row_that_cannot_be_right_is_logged_with_what_it_breaks(
    database: Database, put: Callable[..., list[int]], errors: Any
) -> None:
    put()
    (run_id,) = _damage(database)
    Inspector(database, "w1").once()
    (error,) = errors()
    assert error.startswith("invariant attempts_left is broken: A queued run has an attempt left.")
    assert f"'run': {run_id}" in error


def _found(database: Database) -> dict[str, int]:
    with database.begin() as session:
        return {row.invariant: row.broken for row in inspections.latest(session)}


def test_what_was_found_is_kept_of_every_invariant_until_it_is_looked_at_again(
    database: Database, put: Callable[..., list[int]]
) -> None:
    names = [one.name for one in INVARIANTS]
    put(seeds=2)
    inspector = Inspector(database, "w1")
    assert _found(database) == {}
    inspector.once()
    assert _found(database) == dict.fromkeys(names, 0)
    _damage(database)
    inspector.once()
    assert _found(database) == dict.fromkeys(names, 0) | {"attempts_left": 2}


def test_of_many_rows_the_first_are_logged_and_their_number(
    database: Database, put: Callable[..., list[int]], errors: Any
) -> None:
    put(seeds=MOST_LOGGED + 2)
    _damage(database)
    Inspector(database, "w1").once()
    assert len(errors()) == MOST_LOGGED + 1
    assert errors()[-1] == f"invariant attempts_left: {MOST_LOGGED + 2} rows or more"


def test_of_the_workers_that_are_there_the_first_by_name_looks(
    database: Database, put: Callable[..., list[int]], errors: Any
) -> None:
    put()
    _damage(database)
    with database.begin() as session:
        for name in ("w1", "w2"):
            worker_seen(session, name, "host", "cpu", 1)
    Inspector(database, "w2").once()
    assert errors() == []
    Inspector(database, "w1").once()
    assert len(errors()) == 1


def test_the_thread_looks_again_and_again_until_it_is_told_to_stop(
    database: Database, put: Callable[..., list[int]], errors: Any
) -> None:
    put()
    _damage(database)
    inspector = Inspector(database, "w1", every_seconds=0.05)
    inspector.start()
    until(lambda: len(errors()) >= 2)
    inspector.stop()
    assert not inspector.is_alive()


def test_a_database_that_is_away_is_looked_at_later(
    unreachable: Database, caplog: pytest.LogCaptureFixture
) -> None:
    inspector = Inspector(unreachable, "w1", every_seconds=0.05)
    inspector.start()
    until(lambda: caplog.text.count("looking again in 0.05 s") >= 2)
    assert inspector.is_alive()
    inspector.stop()

"""The time in SQL: one file reads it, and a test can set it."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from set_clock import SetClock
from sqlalchemy import func, select, text

import rglab
import rgservice
import rgstore
import rgworker
from rgstore import clock
from rgstore.database import Database
from rgstore.tables import AttemptRow, ExperimentRow, RunRow, SubmissionRow, TokenRow
from rgstore.tokens import make_token

READER = "rgstore/clock.py"
READINGS = (
    "now", "clock_timestamp", "statement_timestamp", "transaction_timestamp", "timeofday",
    "current_timestamp", "current_time", "current_date", "localtimestamp", "localtime",
    "make_interval", "age",
)  # fmt: skip
IN_TEXT = re.compile(
    r"\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday)\s*\(|"
    r"\bcurrent_timestamp\b|\blocaltimestamp\b|\binterval\s+'",
    re.IGNORECASE,
)
MOMENT = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)


def readings(source: str) -> list[str]:
    """Places in a file that read the database's clock, or reckon with it."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(value=ast.Name(id="func"), attr=name) if name in READINGS:
                found.append(f"line {node.lineno}: func.{name}")
            case ast.Constant(value=str(words)) if IN_TEXT.search(words):
                found.append(f"line {node.lineno}: {words[:60]}")
    return found


@pytest.mark.parametrize(
    "line",
    [
        "func.now()",
        "func.clock_timestamp() - delta",
        "text(\"now() - interval '1 s'\")",
        "text('select CURRENT_TIMESTAMP')",
    ],
)
def test_a_reading_of_the_clock_is_seen(line: str) -> None:
    assert readings(line)


def test_one_file_reads_the_clock_of_the_database() -> None:
    roots = [
        Path(next(iter(package.__path__))) for package in (rglab, rgservice, rgstore, rgworker)
    ]
    found = {
        str(path): readings(path.read_text())
        for root in roots
        for path in sorted(root.rglob("*.py"))
        if not path.as_posix().endswith(READER)
    }
    assert {path: lines for path, lines in found.items() if lines} == {}


def _read(database: Any, *readings: Any) -> Any:
    with database.begin() as session:
        return list(session.execute(select(*readings)).one())


def test_unless_it_is_set_the_time_is_that_of_the_database(database: Database) -> None:
    now, of_database = _read(database, clock.now(), func.now())
    assert now == of_database
    before, instant, after = _read(
        database, func.clock_timestamp(), clock.instant(), func.clock_timestamp()
    )
    assert before <= instant <= after


def test_a_transaction_has_one_time_and_an_instant_is_later(database: Database) -> None:
    with database.begin() as session:
        first = session.scalars(select(clock.now())).one()
        assert session.scalar(select(clock.now())) == first
        later = session.scalars(select(clock.instant())).one()
        assert later > first


def test_a_time_that_is_set_is_what_every_statement_reads(database: Database) -> None:
    SetClock(database).at(MOMENT)
    minute = timedelta(minutes=1)
    readings = (clock.now(), clock.instant(), clock.ago(minute), clock.ahead(minute))
    assert _read(database, *readings) == [MOMENT, MOMENT, MOMENT - minute, MOMENT + minute]


def test_rows_bear_the_time_that_is_set(database: Database, put: Any, take: Any) -> None:
    SetClock(database).at(MOMENT)
    put(seeds=2)
    take()
    with database.begin() as session:
        make_token(session, "alice")
    columns = (
        ExperimentRow.created_at, ExperimentRow.updated_at, SubmissionRow.submitted_at,
        AttemptRow.started_at, TokenRow.created_at, func.min(RunRow.queued_at).label("queued_at"),
    )  # fmt: skip
    for column in columns:
        assert _read(database, column) == [MOMENT], column.key


def test_a_clock_that_is_set_free_runs_again(database: Database) -> None:
    frozen = SetClock(database)
    frozen.at(MOMENT)
    assert _read(database, clock.now()) == [MOMENT]
    frozen.release()
    now, of_database = _read(database, clock.now(), func.now())
    assert now == of_database


def test_the_clock_costs_no_index(database: Database) -> None:
    """A time that the planner takes for a constant: it is stable within a statement."""
    with database.begin() as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        query = select(RunRow.id).where(
            RunRow.state == text("'running'"), RunRow.lease_until < clock.now()
        )
        plan = "\n".join(session.scalars(text(f"EXPLAIN {_literal(session, query)}")))
    assert "Index Cond: (lease_until <" in plan


def _literal(session: Any, query: Any) -> str:
    bound = query.compile(session.connection(), compile_kwargs={"literal_binds": True})
    return str(bound)

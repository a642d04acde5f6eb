"""However many values a condition has, it is one parameter: Postgres takes 65,535."""

from __future__ import annotations

import ast
import tracemalloc
from typing import Any

import pytest
from markdown import ROOT
from sqlalchemy import func, select, text

from rgcontract import State
from rgstore import upkeep
from rgstore.among import among
from rgstore.claiming import Holder, in_line
from rgstore.database import Database
from rgstore.outbox import Announcement
from rgstore.tables import AttemptRow, RunRow
from rgworker.upkeep import MOST_BATCHES, Upkeep

MANY = 100_000


@pytest.fixture
def crowd(database: Database, put: Any) -> str:
    """An experiment with so many runs that wait and as many whose worker is gone."""
    name = put().experiment_id
    insert = text(
        "INSERT INTO runs (experiment_id, chain_seed, seed, state, priority, attempt, "
        "attempt_limit, lease_owner, lease_until) "
        "SELECT :name, :draw, k, :state, 0, :attempt, 3, :owner, "
        "       CASE WHEN CAST(:owner AS text) IS NULL THEN NULL ELSE now() - interval '1 s' END "
        "FROM generate_series(1, :many) AS k"
    )
    with database.begin() as session:
        common = {"name": name, "many": MANY}
        waiting = {"draw": 1, "state": "queued", "attempt": 0, "owner": None}
        session.execute(insert, common | waiting)
        lost = {"draw": 2, "state": "running", "attempt": 1, "owner": "gone/1"}
        session.execute(insert, common | lost)
        session.execute(
            text(
                "INSERT INTO attempts "
                "(run_id, number, worker, host, device, versions, calibration) "
                "SELECT id, 1, 'gone', 'h', 'cpu', '{}', '{}' FROM runs WHERE state = 'running'"
            )
        )
    return str(name)


def _count(database: Any, *conditions: Any) -> int:
    with database.begin() as session:
        found: int = session.scalar(select(func.count()).select_from(RunRow).where(*conditions))
        return found


@pytest.mark.by_hand("runs that nobody asked for")
@pytest.mark.slow
def test_a_round_of_upkeep_and_a_look_are_bounded_whatever_is_queued_and_lost(
    database: Database, crowd: str
) -> None:
    told: list[Announcement] = []
    database.announce_to(told.append)
    holder = Holder("w/1", "w", "h", "cpu", {}, {})
    with database.begin() as session:
        assert in_line(session, holder, most=4) == 4
    upkeep_thread = Upkeep(database, every_seconds=60)
    tracemalloc.start()
    upkeep_thread.once()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    freed = MOST_BATCHES * upkeep.MOST_FREED
    assert _count(database, RunRow.state == State.RUNNING) == MANY - freed
    assert max(len(runs) for announced in told for runs in announced.values()) <= upkeep.MOST_FREED
    assert peak < 100 * 2**20
    with database.begin() as session:
        lost = session.scalar(select(func.count()).where(AttemptRow.outcome == "lost"))
        again = session.scalars(select(RunRow).where(RunRow.error.is_not(None)).limit(1)).one()
    assert lost == freed
    assert (again.state, again.error) == (State.QUEUED, "worker gone/1 was not heard of any more")


def test_so_many_values_are_one_parameter(database: Database) -> None:
    with database.begin() as session:
        assert session.scalars(select(RunRow.id).where(among(RunRow.id, range(MANY)))).all() == []


def test_no_condition_is_written_with_a_list() -> None:
    """`among` in its place. A subquery may stay."""
    found = []
    for folder in ("service", "worker"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                    continue
                if node.func.attr not in {"in_", "not_in", "notin_"}:
                    continue
                (values,) = node.args
                subquery = isinstance(values, ast.Call) and ast.unparse(values.func) == "select"
                if not subquery:
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert found == []

"""What the server is measured with is a history that it could have written itself."""

from __future__ import annotations

from typing import Any

import pytest
from alembic import command
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from benchmarks.serving.filling import fill
from benchmarks.serving.latency import Latency
from benchmarks.serving.report import latencies
from benchmarks.serving.writing import Writer
from migrations import alembic_config
from rgcontract import State
from rgstore.database import Database
from rgstore.stored_specs import loaded_spec
from rgstore.tables import Base, ExperimentRow, MeasurementRow, ResultRow, RunRow, SummaryRow


def _count(session: Session, table: type[Base]) -> int:
    return session.scalars(select(func.count()).select_from(table)).one()


def test_a_filled_lab_has_the_runs_and_results_of_its_experiments(
    database: Database, database_url: str
) -> None:
    assert fill(database_url, 600) == 200
    with database.begin() as session:
        assert (_count(session, ExperimentRow), _count(session, RunRow)) == (200, 600)
        assert _count(session, ResultRow) == 598  # of one experiment in a hundred, a run failed
        for row in session.scalars(select(ExperimentRow)):
            spec = loaded_spec(row.spec, [0, 1, 2])
            assert (spec.chain.corr_len, spec.chain.family) == (row.corr_len, row.family)
            assert (spec.model.depth, spec.model.width) == (row.depth, row.width)
        assert _count(session, MeasurementRow) / 598 == _count(session, SummaryRow) / 200


def test_a_filled_lab_has_the_schema_of_any_other(database_url: str) -> None:
    fill(database_url, 3)
    command.check(alembic_config(database_url))


def test_runs_that_are_written_are_measured(database: Database) -> None:
    writer = Writer(database, "test")
    writer.write(3)
    with database.begin() as session:
        (row,) = session.scalars(select(ExperimentRow))
        assert row.state == State.DONE
        assert _count(session, MeasurementRow) == 3 * len(writer.record.quantities)
        assert _count(session, SummaryRow) == len(writer.record.quantities)


def test_the_life_of_a_run_is_timed_part_by_part(database: Database) -> None:
    writer = Writer(database, "test")
    writer.submit()
    watch = writer.run()
    assert set(watch.seconds) == {"claim", "heartbeats", "summaries", "store"}
    assert all(seconds > 0 for seconds in watch.seconds.values())


@pytest.mark.parametrize(("aim", "met"), [(0.2, True), (0.1, False), (None, None)])
def test_an_aim_is_met_by_the_percentile_that_it_is_on(aim: Any, met: Any) -> None:
    latency = Latency("list", (0.05, 0.1, 0.15), percentile=100, aim=aim)
    assert latency.met is met


def test_latencies_are_shown_in_milliseconds() -> None:
    shown = latencies([Latency("list", (0.01, 0.02, 0.03), percentile=95, aim=0.15)])
    assert "| list | 3 | 20 | 29 | 29.8 | 30 | p95 <= 150 | yes |" in shown

"""What a run measured goes in once and comes out as it was."""

from __future__ import annotations

import math
from typing import Any, Never

import pytest
from measured_study import CHAIN
from sqlalchemy.exc import IntegrityError

from rgcontract import State
from rgcore.statistics import summarise_runs
from rgstore import measurements
from rgstore.database import Database
from rgstore.endings import LeaseLostError
from rgstore.records import Quantity, RunRecord, Training
from rgstore.summaries import summaries_of
from rgstore.tables import ExperimentRow, MeasurementRow, ResultRow

AWKWARD = [0.1 + 0.2, -0.0, 5e-324, 1.7976931348623157e308, math.nan, 2.0**53 + 2]
TRAINING = Training([1, 2], [0.5, 0.25], [])


def _record(values: Any) -> Any:
    quantity = Quantity(
        "final", 10, "token", "effective_rank", 7, "plug-in", [len(values)], values, values, {}
    )
    return RunRecord(1.0, trained=True, training=TRAINING, chain=CHAIN, quantities=[quantity])


def _store(database: Any, claim: Any, values: Any) -> None:
    with database.begin() as session:
        measurements.store(session, claim, _record(values), summarise_runs)


def test_every_double_comes_back_as_it_was(database: Database, put: Any, take: Any) -> None:
    put()
    claim = take()
    _store(database, claim, AWKWARD)
    with database.begin() as session:
        row = session.get_one(MeasurementRow, (claim.run_id, "final", "token", "effective_rank"))
        assert [value.hex() for value in row.values] == [value.hex() for value in AWKWARD]


def test_a_stored_run_is_done_and_completes_its_experiment(
    database: Database, put: Any, take: Any
) -> None:
    name = put().experiment_id
    _store(database, take(), [1.0])
    with database.begin() as session:
        experiment = session.get_one(ExperimentRow, name)
        assert experiment.state == State.DONE
        assert experiment.completed_at is not None


def test_the_summary_is_over_all_runs_measured_so_far(
    database: Database, put: Any, take: Any
) -> None:
    name = put(seeds=2).experiment_id
    _store(database, take(), [1.0])
    _store(database, take(), [3.0])
    with database.begin() as session:
        (summary,) = summaries_of(session, name)
        assert (summary.n_runs, summary.mean) == (2, [2.0])


def test_a_result_cannot_be_stored_twice(database: Database, put: Any, take: Any) -> None:
    put()
    claim = take()
    _store(database, claim, [1.0])
    with pytest.raises(LeaseLostError):
        _store(database, claim, [2.0])
    with pytest.raises(IntegrityError), database.begin() as session:
        session.add(
            ResultRow(run_id=claim.run_id, attempt=1, seconds=1.0, curve_steps=[], curve_losses=[])
        )


def test_nothing_is_stored_if_anything_fails(database: Database, put: Any, take: Any) -> None:
    name = put().experiment_id
    claim = take()

    def broken(values: Any, halves: Any, **options: Any) -> Never:
        raise RuntimeError("no summary")

    with pytest.raises(RuntimeError, match="no summary"), database.begin() as session:
        measurements.store(session, claim, _record([1.0]), broken)
    with database.begin() as session:
        assert session.get_one(ExperimentRow, name).state == State.RUNNING
        assert session.get(ResultRow, claim.run_id) is None

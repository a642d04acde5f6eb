"""Every column of numbers takes them as they come: ints, numpy scalars, numpy arrays, mixed."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any, cast

import numpy as np
import pytest
from measured_study import CHAIN
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import StatementError

from rgcore.statistics import RunSummary
from rgstore import heartbeats, measurements, trainings
from rgstore.copying import copy_rows
from rgstore.database import Database
from rgstore.heartbeats import TrainingProgress
from rgstore.plain import Float, Floats, Ints
from rgstore.records import Quantity, RunRecord, Training
from rgstore.tables import (
    Base,
    ChainRow,
    MeasurementRow,
    ResultRow,
    RunRow,
    SummaryRow,
    TrainingRow,
)

pytestmark = pytest.mark.by_hand("summaries are made up")

ARRAYS = {
    "ints": [0, 1, 2**53],
    "int first": [1, 0.5, 2.5],
    "int last": [0.5, 0.25, 1],
    "float32": [np.float32(0.5), np.float32(0.1), np.float32(2)],
    "float64": [np.float64(0.5), 0.25, np.float64(math.nan)],
    "int64": [np.int64(3), 0.5, np.int64(2)],
    "bool": [np.bool_(1), 0.5, 1],
    "array of float32": np.array([0.5, 0.1, 2.0], dtype=np.float32),
    "array of int64": np.array([1, 2, 3]),
    "array of float64": np.array([0.5, -0.0, np.inf]),
    "tuple": (1, 2.5, np.float16(0.5)),
    "none": [],
}
COUNTS = {
    "plain": [1, 2],
    "int64 first": [np.int64(2), 3],
    "int64 last": [1, np.int64(2)],
    "int32": [np.int32(1), np.int64(2), 3],
    "array": np.array([1, 2]),
    "none": [],
}
NUMBERS = [2, 0.5, np.float32(0.1), np.float64(0.1), np.int64(3), np.array(0.5), True]


def _hex(values: Any) -> list[str]:
    return [float(value).hex() for value in values]


def _columns(table: type[Base], of: type) -> list[str]:
    return [column.name for column in table.__table__.columns if isinstance(column.type, of)]


def _record(values: Any, number: float = 1.0) -> RunRecord:
    """All that a worker stores, with these numbers everywhere."""
    arrays: dict[str, Any] = dict.fromkeys(_columns(ChainRow, Floats), values)
    numbers: dict[str, Any] = dict.fromkeys(_columns(ChainRow, Float), number)
    quantity = Quantity(
        "final", 10, "token", "effective_rank", 7, "plug-in", [len(values)], values, values, {}
    )
    return RunRecord(
        seconds=number,
        trained=True,
        training=Training(list(range(len(values))), values, []),
        chain=replace(CHAIN, **arrays, **numbers),
        quantities=[quantity],
    )


def test_every_column_of_numbers_is_one_of_these() -> None:
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if "DOUBLE" in str(column.type.compile()):
                assert isinstance(column.type, Float | Floats), f"{table.name}.{column.name}"


@pytest.mark.parametrize("values", ARRAYS.values(), ids=ARRAYS)
def test_arrays_are_stored_whatever_they_are_made_of(
    database: Database, put: Any, take: Any, values: Any
) -> None:
    put()
    claim = take()
    record = _record(values)

    def summarise(*_: Any, **__: Any) -> Any:
        return RunSummary(values, values, values, values, values)

    with database.begin() as session:
        measurements.store(session, claim, record, summarise)
        trainings.keep(session, "t", 0, record.training, device="cpu", versions={})
    with database.begin() as session:
        for table in (ResultRow, ChainRow, MeasurementRow, SummaryRow, TrainingRow):
            row = session.scalars(select(table)).one()
            for name in _columns(table, Floats):
                assert _hex(getattr(row, name)) == _hex(values), name


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: type(number).__name__)
def test_numbers_are_stored_whatever_they_are(
    database: Database, put: Any, take: Any, number: Any
) -> None:
    put()
    claim = take()
    with database.begin() as session:
        record = _record([0.5], number)
        summary = RunSummary([0.5], [0.5], [0.5], [0.5], None)
        measurements.store(session, claim, record, lambda *_, **__: summary)
    with database.begin() as session:
        for table in (ResultRow, ChainRow):
            row = session.scalars(select(table)).one()
            for name in _columns(table, Float):
                assert getattr(row, name).hex() == float(number).hex(), name


@pytest.mark.parametrize("counts", COUNTS.values(), ids=COUNTS)
def test_counts_are_stored_whatever_they_are_made_of(
    database: Database, put: Any, take: Any, counts: Any
) -> None:
    put()
    claim = take()
    record = _record([0.5])
    training = Training(counts, [0.5], [])
    quantities = [replace(record.quantities[0], shape=counts)]
    summary = RunSummary([0.5], [0.5], [0.5], [0.5], None)
    with database.begin() as session:
        record = replace(record, training=training, quantities=quantities)
        measurements.store(session, claim, record, lambda *_, **__: summary)
        trainings.keep(session, "t", 0, training, device="cpu", versions={})
    with database.begin() as session:
        for table in (ResultRow, MeasurementRow, SummaryRow, TrainingRow):
            row = session.scalars(select(table)).one()
            (name,) = _columns(table, Ints)
            assert getattr(row, name) == list(counts)


def test_a_fraction_among_counts_is_refused(database: Database, put: Any, take: Any) -> None:
    put()
    claim = take()
    record = replace(_record([0.5]), training=Training(cast("list[int]", [1, 1.5]), [0.5], []))
    refused = pytest.raises(StatementError, match="cannot be interpreted as an integer")
    with refused, database.begin() as session:
        never: Any = None  # it is refused before anything is summarised
        measurements.store(session, claim, record, never)


@pytest.mark.parametrize("values", ARRAYS.values(), ids=ARRAYS)
def test_copying_and_inserting_write_the_same(database: Database, values: Any) -> None:
    arrays: dict[str, Any] = dict.fromkeys(_columns(ChainRow, Floats), values)
    row = {
        **{one.name: getattr(CHAIN, one.name) for one in fields(CHAIN)},
        **dict.fromkeys(_columns(ChainRow, Float), 1),
        **arrays,
    }
    with database.begin() as session:
        copy_rows(session, ChainRow, [{**row, "chain_hash": "copied"}])
        session.execute(insert(ChainRow).values({**row, "chain_hash": "inserted"}))
        session.add(ChainRow(**row, chain_hash="added"))
    with database.begin() as session:
        for stored in session.scalars(select(ChainRow)):
            assert all(_hex(getattr(stored, name)) == _hex(values) for name in arrays)


def test_a_heartbeat_takes_progress_whatever_it_is_made_of(
    database: Database, put: Any, take_fleet: Any
) -> None:
    put(seeds=3)
    claims = take_fleet()
    beats = [
        (claims[0], TrainingProgress("training", 1, 5, cast("float", np.float32(0.5)))),
        (claims[1], TrainingProgress("training", np.float64(0.25), 5, 2)),
        (claims[2], TrainingProgress("starting", 0, 0, None)),
    ]
    with database.begin() as session:
        heartbeats.heartbeat(session, beats, lease_seconds=9)
    with database.begin() as session:
        rows = session.execute(select(RunRow.fraction, RunRow.loss).order_by(RunRow.id)).all()
    assert [tuple(row) for row in rows] == [(1.0, 0.5), (0.25, 2.0), (0.0, None)]

"""Reading what the runs of an experiment measured."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Result, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from rgcontract import State
from rgstore.among import among
from rgstore.copying import as_it_comes
from rgstore.records import RunKey
from rgstore.tables import (
    MeasurementRow,
    ResultRow,
    RunRow,
)


def measured_by(
    session: Session,
    experiment_id: str,
    columns: Sequence[ColumnElement[Any] | InstrumentedAttribute[Any]],
    *conditions: ColumnElement[bool],
    seeds: Collection[int] | None = None,
    order: Sequence[InstrumentedAttribute[Any]] = (),
) -> Result[*tuple[Any, ...]]:
    """Chain seed, seed and columns of what runs measured, in this order and then of the runs."""
    return session.execute(
        select(RunRow.chain_seed, RunRow.seed, *columns)
        .join(MeasurementRow, MeasurementRow.run_id == RunRow.id)
        .where(
            RunRow.experiment_id == experiment_id,
            RunRow.state == State.DONE,
            *of_seeds(seeds),
            *conditions,
        )
        .order_by(*order, RunRow.chain_seed, RunRow.seed)
    )


def of_seeds(seeds: Collection[int] | None) -> list[ColumnElement[bool]]:
    """Whether a run is of these training seeds; None for all."""
    return [] if seeds is None else [among(RunRow.seed, seeds)]


def of_indexes(
    shape: InstrumentedAttribute[list[int]], most: int | None
) -> list[ColumnElement[bool]]:
    """Whether a quantity has so many indexes at most, by its shape; None for all."""
    return [] if most is None else [func.coalesce(func.cardinality(shape), 0) <= most]


def values_of(
    session: Session,
    name: str,
    *,
    seeds: Collection[int] | None = None,
    most_indexes: int | None = None,
) -> dict[tuple[str, str, str], dict[RunKey, list[float]]]:
    """Flat values of each run, of quantities of so many indexes at most: key -> run -> values."""
    row = MeasurementRow
    columns = (row.when, row.level, row.quantity, as_it_comes(row.values))
    found: dict[tuple[str, str, str], dict[RunKey, list[float]]] = {}
    rows = measured_by(session, name, columns, *of_indexes(row.shape, most_indexes), seeds=seeds)
    for chain_seed, seed, when, level, quantity, values in rows:
        found.setdefault((when, level, quantity), {})[chain_seed, seed] = values
    return found


def results_of(
    session: Session, name: str, seeds: Collection[int] | None = None
) -> Sequence[tuple[RunKey, ResultRow]]:
    """(run, result) of measured runs of an experiment, in the order of the runs."""
    rows = session.execute(
        select(RunRow.chain_seed, RunRow.seed, ResultRow)
        .join(ResultRow, ResultRow.run_id == RunRow.id)
        .where(RunRow.experiment_id == name, RunRow.state == State.DONE, *of_seeds(seeds))
        .order_by(RunRow.chain_seed, RunRow.seed)
    )
    return [((chain_seed, seed), result) for chain_seed, seed, result in rows]


def count_measured(session: Session, name: str) -> int:
    """Measured runs of an experiment."""
    done = select(func.count()).where(RunRow.experiment_id == name, RunRow.state == State.DONE)
    return session.scalar(done) or 0

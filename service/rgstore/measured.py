"""Reading what the runs of an experiment measured."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Result, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from rgcontract import State
from rgcontract.observables import NETWORK
from rgstore.among import among
from rgstore.copying import as_it_comes
from rgstore.records import Key, RunKey
from rgstore.streaming import streamed
from rgstore.tables import (
    MeasurementRow,
    ResultRow,
    RunRow,
    SummaryRow,
)


@dataclass(frozen=True)
class Kept:
    """That a quantity is stored, and how large it is."""

    when: str
    level: str
    quantity: str
    step: int
    shape: list[int]

    @property
    def key(self) -> Key:
        """What names it."""
        return self.when, self.level, self.quantity


def order_of(
    row: type[MeasurementRow | SummaryRow],
) -> tuple[ColumnElement[Any] | InstrumentedAttribute[Any], ...]:
    """That of training, the null last; of a moment, the whole network last."""
    return row.step, row.when, row.level == NETWORK, row.level, row.quantity


def measured_by(
    session: Session,
    experiment_id: str,
    columns: Sequence[ColumnElement[Any] | InstrumentedAttribute[Any]],
    *conditions: ColumnElement[bool],
    seeds: Collection[int] | None = None,
    order: Sequence[ColumnElement[Any] | InstrumentedAttribute[Any]] = (),
) -> Result[*tuple[Any, ...]]:
    """Chain seed, seed and columns of what runs measured, in this order and then of the runs.

    A few rows at a time are read of the server, as they are asked for.
    """
    return streamed(
        session,
        select(RunRow.chain_seed, RunRow.seed, *columns)
        .join(MeasurementRow, MeasurementRow.run_id == RunRow.id)
        .where(*_of_measured(experiment_id, seeds), *conditions)
        .order_by(*order, RunRow.chain_seed, RunRow.seed),
    )


def of_seeds(seeds: Collection[int] | None) -> list[ColumnElement[bool]]:
    """Whether a run is of these training seeds; None for all."""
    return [] if seeds is None else [among(RunRow.seed, seeds)]


def kept_of_runs(session: Session, name: str, seeds: Collection[int] | None = None) -> list[Kept]:
    """Every quantity that runs of these seeds measured, in the order of training."""
    row = MeasurementRow
    rows = session.execute(
        select(row.when, row.level, row.quantity, row.step, as_it_comes(row.shape))
        .join(RunRow, MeasurementRow.run_id == RunRow.id)
        .where(*_of_measured(name, seeds))
        .group_by(row.when, row.level, row.quantity, row.step, row.shape)
        .order_by(*order_of(row))
    )
    return [Kept(*values) for values in rows]


def values_of(
    session: Session,
    name: str,
    *conditions: ColumnElement[bool],
    seeds: Collection[int] | None = None,
) -> Iterator[tuple[Key, Iterator[tuple[RunKey, list[float]]]]]:
    """Flat values of each run, quantity by quantity in the order of training, read as asked for.

    Args:
        session: to read in, until the last is read.
        name: of the experiment.
        conditions: on `MeasurementRow`.
        seeds: training seeds of the runs; None for all.
    """
    row = MeasurementRow
    columns = (row.when, row.level, row.quantity, as_it_comes(row.values))
    rows = measured_by(session, name, columns, *conditions, seeds=seeds, order=order_of(row))
    for key, of_runs in groupby(rows, key=lambda one: (one[2], one[3], one[4])):
        yield key, (((one[0], one[1]), one[5]) for one in of_runs)


def measured_runs(
    session: Session, name: str, seeds: Collection[int] | None = None
) -> list[RunKey]:
    """Measured runs of an experiment, in order."""
    rows = session.execute(
        select(RunRow.chain_seed, RunRow.seed)
        .join(ResultRow, ResultRow.run_id == RunRow.id)
        .where(*_of_measured(name, seeds))
        .order_by(RunRow.chain_seed, RunRow.seed)
    )
    return [(chain_seed, seed) for chain_seed, seed in rows]


def curves_of(
    session: Session, name: str, seeds: Collection[int] | None = None
) -> Iterator[tuple[RunKey, list[int], list[float]]]:
    """(run, steps, losses) of measured runs of an experiment, in order, read as asked for."""
    rows = streamed(
        session,
        select(
            RunRow.chain_seed, RunRow.seed,
            as_it_comes(ResultRow.curve_steps), as_it_comes(ResultRow.curve_losses),
        )
        .join(ResultRow, ResultRow.run_id == RunRow.id)
        .where(*_of_measured(name, seeds))
        .order_by(RunRow.chain_seed, RunRow.seed),
    )  # fmt: skip
    for chain_seed, seed, steps, losses in rows:
        yield (chain_seed, seed), steps, losses


def _of_measured(name: str, seeds: Collection[int] | None) -> list[ColumnElement[bool]]:
    """Whether a run is a measured one of an experiment, of these seeds."""
    return [RunRow.experiment_id == name, RunRow.state == State.DONE, *of_seeds(seeds)]


def count_measured(session: Session, name: str) -> int:
    """Measured runs of an experiment."""
    done = select(func.count()).where(RunRow.experiment_id == name, RunRow.state == State.DONE)
    return session.scalar(done) or 0

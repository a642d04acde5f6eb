"""Experiments over their runs: every quantity with its error bar."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from rgstore.copying import as_it_comes, copy_rows
from rgstore.damaged import sum_of
from rgstore.measured import Kept, measured_by, order_of
from rgstore.records import CONFIDENCE, Quantity, Summarise, Summary
from rgstore.streaming import streamed
from rgstore.tables import (
    MeasurementRow,
    SummaryRow,
)


def store_summaries(session: Session, experiment_id: str, summarise: Summarise) -> None:
    """Bring the stored summaries of an experiment up to date, in place of those before."""
    summaries = [*summarised(session, experiment_id, summarise)]  # the next needs the connection
    session.execute(delete(SummaryRow).where(SummaryRow.experiment_id == experiment_id))
    rows = ({"experiment_id": experiment_id, **vars(summary)} for summary in summaries)
    copy_rows(session, SummaryRow, rows)


def summarised(
    session: Session,
    name: str,
    summarise: Summarise,
    *conditions: ColumnElement[bool],
    seeds: Collection[int] | None = None,
) -> Iterator[Summary]:
    """Quantities over measured runs of an experiment, worked out from their values, one by one.

    Args:
        session: to read in, until the last is read.
        name: of the experiment.
        summarise: gives the error bars.
        conditions: on `MeasurementRow`.
        seeds: training seeds of the runs; None for all.

    Yields:
        As `summaries_of`, which has those of all measured runs, stored.
    """
    row = MeasurementRow
    columns = (
        row.when, row.step, row.level, row.quantity, row.n_rows, row.estimator,
        as_it_comes(row.shape), as_it_comes(row.values), as_it_comes(row.half), row.reasons,
    )  # fmt: skip
    measured = measured_by(session, name, columns, *conditions, seeds=seeds, order=order_of(row))
    quantities = ((chain_seed, Quantity(*values)) for chain_seed, _, *values in measured)
    for _, group in groupby(quantities, key=lambda one: one[1].key):
        of_run = list(group)
        yield _summary(
            [chain for chain, _ in of_run], [quantity for _, quantity in of_run], summarise
        )


def _summary(chains: Sequence[int], of_run: Sequence[Quantity], summarise: Summarise) -> Summary:
    first = of_run[0]
    _check(of_run)
    numbers = summarise(
        [quantity.values for quantity in of_run],
        [quantity.half for quantity in of_run],
        chains=chains,
        confidence=CONFIDENCE,
    )
    reasons: dict[str, set[int]] = {}
    for quantity in of_run:
        for reason, indexes in REASONS.validate_python(quantity.reasons).items():
            reasons.setdefault(reason, set()).update(indexes)
    return Summary(
        when=first.when,
        level=first.level,
        quantity=first.quantity,
        step=first.step,
        n_rows=first.n_rows,
        estimator=first.estimator,
        shape=first.shape,
        n_runs=len(of_run),
        mean=numbers.mean,
        standard_error=numbers.standard_error,
        low=numbers.low,
        high=numbers.high,
        half_shift=numbers.half_shift,
        reasons={reason: sorted(indexes) for reason, indexes in reasons.items()},
    )


REASONS: TypeAdapter[dict[str, list[int]]] = TypeAdapter(dict[str, list[int]])
"""Why numbers are missing -> their places, as it is to be stored."""


def _check(of_run: Sequence[Quantity]) -> None:
    """Whether what is stored of each run are numbers, and as many.

    Raises:
        DamagedRecordError: they are not.
    """
    for quantity in of_run:
        for flat in (quantity.values, quantity.half):
            if flat is not None:
                sum_of(flat, [len(of_run[0].values)])


def summaries_of(
    session: Session, name: str, *conditions: ColumnElement[bool]
) -> Iterator[Summary]:
    """The stored summaries of an experiment, in the order of `order_of`, one by one.

    Args:
        session: to read in, until the last is read.
        name: of the experiment.
        conditions: on `SummaryRow`.
    """
    row = SummaryRow
    rows = streamed(
        session,
        select(
            row.when, row.level, row.quantity, row.step, row.n_rows, row.estimator,
            as_it_comes(row.shape), row.n_runs, as_it_comes(row.mean),
            as_it_comes(row.standard_error), as_it_comes(row.low), as_it_comes(row.high),
            as_it_comes(row.half_shift), row.reasons,
        )
        .where(row.experiment_id == name, *conditions)
        .order_by(*order_of(row)),
    )  # fmt: skip
    for values in rows:
        yield Summary(*values)


def kept_summaries(session: Session, name: str) -> list[Kept]:
    """Every quantity that an experiment has a stored summary of, in the same order."""
    row = SummaryRow
    rows = session.execute(
        select(row.when, row.level, row.quantity, row.step, as_it_comes(row.shape))
        .where(row.experiment_id == name)
        .order_by(*order_of(row))
    )
    return [Kept(*values) for values in rows]

"""Experiments over their runs: every quantity with its error bar."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pydantic import TypeAdapter
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from rgstore.copying import as_it_comes, copy_rows
from rgstore.damaged import sum_of
from rgstore.measured import measured_by, of_indexes
from rgstore.records import CONFIDENCE, Quantity, Summarise, Summary
from rgstore.tables import (
    MeasurementRow,
    SummaryRow,
)


def store_summaries(session: Session, experiment_id: str, summarise: Summarise) -> None:
    """Bring the stored summaries of an experiment up to date, in place of those before."""
    summaries = summarised(session, experiment_id, summarise)
    session.execute(delete(SummaryRow).where(SummaryRow.experiment_id == experiment_id))
    rows = ({"experiment_id": experiment_id, **vars(summary)} for summary in summaries)
    copy_rows(session, SummaryRow, rows)


def summarised(
    session: Session,
    name: str,
    summarise: Summarise,
    *,
    seeds: Collection[int] | None = None,
    most_indexes: int | None = None,
) -> list[Summary]:
    """Every quantity over measured runs of an experiment, worked out from their values.

    Args:
        session: to read in.
        name: of the experiment.
        summarise: gives the error bars.
        seeds: training seeds of the runs; None for all.
        most_indexes: of the quantities; None for all.

    Returns:
        As `summaries_of`, which has those of all measured runs, stored.
    """
    row = MeasurementRow
    columns = (
        row.when, row.step, row.level, row.quantity, row.n_rows, row.estimator,
        as_it_comes(row.shape), as_it_comes(row.values), as_it_comes(row.half), row.reasons,
    )  # fmt: skip
    groups: dict[tuple[str, str, str], list[tuple[int, Quantity]]] = {}
    measured = measured_by(
        session, name, columns, *of_indexes(row.shape, most_indexes), seeds=seeds, order=_ORDER
    )
    for chain_seed, _, *values in measured:
        quantity = Quantity(*values)
        groups.setdefault(quantity.key, []).append((chain_seed, quantity))
    return [
        _summary([chain for chain, _ in of_run], [quantity for _, quantity in of_run], summarise)
        for of_run in groups.values()
    ]


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
        for reason, indexes in _REASONS.validate_python(quantity.reasons).items():
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


_REASONS: TypeAdapter[dict[str, list[int]]] = TypeAdapter(dict[str, list[int]])


def _check(of_run: Sequence[Quantity]) -> None:
    """Whether what is stored of each run are numbers, and as many.

    Raises:
        DamagedRecordError: they are not.
    """
    for quantity in of_run:
        for flat in (quantity.values, quantity.half):
            if flat is not None:
                sum_of(flat, [len(of_run[0].values)])


_ORDER = (
    MeasurementRow.step, MeasurementRow.when, MeasurementRow.level, MeasurementRow.quantity,
)  # fmt: skip
"""That of training, the null last."""


def summaries_of(session: Session, name: str, *, most_indexes: int | None = None) -> list[Summary]:
    """The stored summaries of an experiment: moments in the order of training, the null last.

    Args:
        session: to read in.
        name: of the experiment.
        most_indexes: of the quantities; None for all.
    """
    row = SummaryRow
    rows = session.execute(
        select(
            row.when, row.level, row.quantity, row.step, row.n_rows, row.estimator,
            as_it_comes(row.shape), row.n_runs, as_it_comes(row.mean),
            as_it_comes(row.standard_error), as_it_comes(row.low), as_it_comes(row.high),
            as_it_comes(row.half_shift), row.reasons,
        )
        .where(row.experiment_id == name, *of_indexes(row.shape, most_indexes))
        .order_by(row.step, row.when, row.level, row.quantity)
    )  # fmt: skip
    return [Summary(*values) for values in rows]

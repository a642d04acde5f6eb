"""Storing what a run measured and reading back an experiment over its seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict

from sqlalchemy import delete, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from rgcontract import State
from rgstore.leases import Claim, finish
from rgstore.records import Quantity, RunRecord, SeedValues, Summary
from rgstore.tables import (
    ChainRow,
    ExperimentRow,
    MeasurementRow,
    ResultRow,
    RunRow,
    SummaryRow,
)


def store(
    session: Session,
    claim: Claim,
    record: RunRecord,
    summarise: Callable[[SeedValues], Summary],
) -> None:
    """Finish a run: its numbers, and the experiment's summaries over all seeds measured so far.

    The run is finished first: that checks the fence and locks run and experiment, so two seeds
    of one experiment that end together are summarised one after the other.

    Raises:
        LeaseLostError: the run is no longer this worker's; nothing is stored.
    """
    finish(session, claim)
    session.add(
        ResultRow(
            run_id=claim.run_id,
            attempt=claim.attempt,
            seconds=record.seconds,
            curve_steps=record.curve_steps,
            curve_losses=record.curve_losses,
        )
    )
    rows = [{"run_id": claim.run_id, **asdict(quantity)} for quantity in record.quantities]
    session.execute(insert(MeasurementRow), rows)
    experiment = session.get_one(ExperimentRow, claim.experiment_id)
    session.execute(
        upsert(ChainRow)
        .values(chain_hash=experiment.chain_hash, **asdict(record.chain))
        .on_conflict_do_nothing()
    )
    _summarise(session, claim.experiment_id, summarise)


def _summarise(
    session: Session, experiment_id: str, summarise: Callable[[SeedValues], Summary]
) -> None:
    measured = session.execute(
        select(RunRow.seed, MeasurementRow)
        .join(MeasurementRow, MeasurementRow.run_id == RunRow.id)
        .where(RunRow.experiment_id == experiment_id, RunRow.state == State.DONE)
        .order_by(RunRow.seed)
    ).all()
    groups: dict[tuple[str, str, str], list[tuple[int, Quantity]]] = {}
    for seed, row in measured:
        quantity = Quantity(
            row.when, row.step, row.level, row.quantity, row.n_rows, row.shape, row.values,
            row.reasons,
        )  # fmt: skip
        groups.setdefault(quantity.key, []).append((seed, quantity))
    session.execute(delete(SummaryRow).where(SummaryRow.experiment_id == experiment_id))
    rows = []
    for (when, level, name), members in groups.items():
        seeds = [seed for seed, _ in members]
        first = members[0][1]
        summary = summarise(SeedValues(seeds, [quantity for _, quantity in members]))
        rows.append(
            {
                "experiment_id": experiment_id,
                "when": when,
                "level": level,
                "quantity": name,
                "step": first.step,
                "n_rows": first.n_rows,
                "shape": first.shape,
                "seeds": seeds,
                **asdict(summary),
            }
        )
    session.execute(insert(SummaryRow), rows)


def summaries_of(session: Session, name: str) -> Sequence[SummaryRow]:
    """The summaries of an experiment, in a stable order."""
    return session.scalars(
        select(SummaryRow)
        .where(SummaryRow.experiment_id == name)
        .order_by(SummaryRow.when.desc(), SummaryRow.level, SummaryRow.quantity)
    ).all()


def layer_values_of(
    session: Session, name: str
) -> dict[tuple[str, str, str], dict[int, list[float]]]:
    """Per-seed values of all but the large (two-dimensional) quantities: key -> seed -> values."""
    rows = session.execute(
        select(RunRow.seed, MeasurementRow)
        .join(MeasurementRow, MeasurementRow.run_id == RunRow.id)
        .where(RunRow.experiment_id == name, RunRow.state == State.DONE)
        .order_by(RunRow.seed)
    )
    found: dict[tuple[str, str, str], dict[int, list[float]]] = {}
    for seed, row in rows:
        if len(row.shape) <= 1:
            found.setdefault((row.when, row.level, row.quantity), {})[seed] = row.values
    return found


def results_of(session: Session, name: str) -> Sequence[tuple[int, ResultRow]]:
    """(seed, result) of the measured runs of an experiment, by seed."""
    rows = session.execute(
        select(RunRow.seed, ResultRow)
        .join(ResultRow, ResultRow.run_id == RunRow.id)
        .where(RunRow.experiment_id == name)
        .order_by(RunRow.seed)
    )
    return [(seed, result) for seed, result in rows]


def chain_of(session: Session, experiment: ExperimentRow) -> ChainRow | None:
    """What is known of the chain of an experiment; None until a run of it is done."""
    return session.get(ChainRow, experiment.chain_hash)


RATE_SAMPLE = 50


def measured_rate(session: Session) -> float | None:
    """Median speed of the latest runs, operations per second; None before the first."""
    latest = (
        select((ExperimentRow.flops_per_run / ResultRow.seconds).label("rate"))
        .select_from(ResultRow)
        .join(RunRow, RunRow.id == ResultRow.run_id)
        .join(ExperimentRow, ExperimentRow.id == RunRow.experiment_id)
        .where(ResultRow.seconds > 0)
        .order_by(ResultRow.run_id.desc())
        .limit(RATE_SAMPLE)
        .subquery()
    )
    return session.scalar(select(func.percentile_cont(0.5).within_group(latest.c.rate)))

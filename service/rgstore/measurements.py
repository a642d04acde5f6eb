"""Storing what a run measured and reading back an experiment over its runs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Result, delete, func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import InstrumentedAttribute, Session

from rgcontract import State, chain_hash
from rgstore import aliases
from rgstore.among import among
from rgstore.copying import as_it_comes, copy_rows
from rgstore.leases import Claim, finish
from rgstore.records import CONFIDENCE, Quantity, RunKey, RunRecord, Summarise, Summary
from rgstore.submissions import loaded_spec
from rgstore.tables import (
    AttemptRow,
    ChainRow,
    ExperimentRow,
    MeasurementRow,
    ResultRow,
    RunRow,
    SummaryRow,
)


class OtherProtocolError(RuntimeError):
    """A result that was measured under another protocol than its experiment's."""


def store(
    session: Session,
    claim: Claim,
    record: RunRecord,
    summarise: Summarise,
) -> None:
    """Finish a run: its numbers, and the experiment's summaries over all runs measured so far.

    The run is finished first: that checks the fence and locks run and experiment, so two runs
    of one experiment that end together are summarised one after the other.

    Raises:
        LeaseLostError: the run is no longer this worker's; nothing is stored.
        OtherProtocolError: the numbers are not those that the experiment names.
    """
    finish(session, claim, trained=record.trained)
    _require_protocols(session, claim, record)
    session.add(
        ResultRow(
            run_id=claim.run_id,
            attempt=claim.attempt,
            seconds=record.seconds,
            curve_steps=record.training.curve_steps,
            curve_losses=record.training.curve_losses,
        )
    )
    session.flush()
    copy_rows(
        session,
        MeasurementRow,
        ({"run_id": claim.run_id, **vars(quantity)} for quantity in record.quantities),
    )
    session.execute(
        upsert(ChainRow)
        .values(
            chain_hash=_chain_hash(claim.spec, claim.chain_seed),
            **asdict(record.chain),
        )
        .on_conflict_do_nothing()
    )
    _summarise(session, claim.experiment_id, summarise)


def _require_protocols(session: Session, claim: Claim, record: RunRecord) -> None:
    row, of = ExperimentRow, record.protocols
    needs = session.execute(
        select(row.training_protocol, row.protocol).where(row.id == claim.experiment_id)
    ).one()
    if (of.training_protocol, of.protocol) != tuple(needs):
        raise OtherProtocolError(
            f"measured under {of}; {claim.experiment_id} takes measurement protocol "
            f"{needs.protocol} and training protocol {needs.training_protocol}"
        )


def _chain_hash(stored: dict[str, Any], chain_seed: int) -> str:
    """Hash of one draw of the chain of a stored spec."""
    return chain_hash(loaded_spec(stored, [0]).chain.draw(chain_seed))


def _summarise(session: Session, experiment_id: str, summarise: Summarise) -> None:
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
    measured = _measured(
        session, name, columns, *_of_indexes(row.shape, most_indexes), seeds=seeds, order=_ORDER
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
    numbers = summarise(
        [quantity.values for quantity in of_run],
        [quantity.half for quantity in of_run],
        chains=chains,
        confidence=CONFIDENCE,
    )
    reasons: dict[str, set[int]] = {}
    for quantity in of_run:
        for reason, indexes in quantity.reasons.items():
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


_ORDER = (
    MeasurementRow.step, MeasurementRow.when, MeasurementRow.level, MeasurementRow.quantity,
)  # fmt: skip
"""That of training, the null last."""


def _measured(
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
            *_of_seeds(seeds),
            *conditions,
        )
        .order_by(*order, RunRow.chain_seed, RunRow.seed)
    )


def _of_seeds(seeds: Collection[int] | None) -> list[ColumnElement[bool]]:
    return [] if seeds is None else [among(RunRow.seed, seeds)]


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
        .where(row.experiment_id == name, *_of_indexes(row.shape, most_indexes))
        .order_by(row.step, row.when, row.level, row.quantity)
    )  # fmt: skip
    return [Summary(*values) for values in rows]


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
    rows = _measured(session, name, columns, *_of_indexes(row.shape, most_indexes), seeds=seeds)
    for chain_seed, seed, when, level, quantity, values in rows:
        found.setdefault((when, level, quantity), {})[chain_seed, seed] = values
    return found


def _of_indexes(
    shape: InstrumentedAttribute[list[int]], most: int | None
) -> list[ColumnElement[bool]]:
    return [] if most is None else [func.coalesce(func.cardinality(shape), 0) <= most]


def results_of(
    session: Session, name: str, seeds: Collection[int] | None = None
) -> Sequence[tuple[RunKey, ResultRow]]:
    """(run, result) of measured runs of an experiment, in the order of the runs."""
    rows = session.execute(
        select(RunRow.chain_seed, RunRow.seed, ResultRow)
        .join(ResultRow, ResultRow.run_id == RunRow.id)
        .where(RunRow.experiment_id == name, RunRow.state == State.DONE, *_of_seeds(seeds))
        .order_by(RunRow.chain_seed, RunRow.seed)
    )
    return [((chain_seed, seed), result) for chain_seed, seed, result in rows]


def count_measured(session: Session, name: str) -> int:
    """Measured runs of an experiment."""
    done = select(func.count()).where(RunRow.experiment_id == name, RunRow.state == State.DONE)
    return session.scalar(done) or 0


def chains_of(session: Session, experiment: ExperimentRow, draws: Sequence[int]) -> list[ChainRow]:
    """What is known of the chains of an experiment that have been measured, in this order."""
    spec = loaded_spec(experiment.spec, [0])
    hashes = [chain_hash(spec.chain.draw(draw)) for draw in draws]
    before = aliases.of(session, hashes)
    names = {key: [key, *before.get(key, [])] for key in hashes}
    rows = session.scalars(
        select(ChainRow).where(
            among(ChainRow.chain_hash, {name for these in names.values() for name in these}),
            ChainRow.seq_len == spec.data.seq_len,
        )
    )
    known = {row.chain_hash: row for row in rows}
    found = ([known[name] for name in names[key] if name in known] for key in hashes)
    return [rows[0] for rows in found if rows]


RATE_SAMPLE = 50
FEWEST_FLOPS = 1e11
"""Of a run that says something of speed: seconds of work, of which starting it is a small part."""


def measured_rate(session: Session) -> float | None:
    """Median speed of the latest trainings of some length, operations per second; None if none."""
    latest = (
        select((ExperimentRow.flops_per_run / ResultRow.seconds).label("rate"))
        .select_from(ResultRow)
        .join(RunRow, RunRow.id == ResultRow.run_id)
        .join(ExperimentRow, ExperimentRow.id == RunRow.experiment_id)
        .join(
            AttemptRow,
            (AttemptRow.run_id == ResultRow.run_id) & (AttemptRow.number == ResultRow.attempt),
        )
        .where(
            ResultRow.seconds > 0,
            AttemptRow.trained,
            ExperimentRow.flops_per_run >= FEWEST_FLOPS,
        )
        .order_by(ResultRow.run_id.desc())
        .limit(RATE_SAMPLE)
        .subquery()
    )
    return session.scalar(select(func.percentile_cont(0.5).within_group(latest.c.rate)))

"""What must hold of what is worked out from stored rows: hashes, columns, weights and summaries.

Each takes as long as the lab is large, so it is read in pieces, a transaction for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rgcontract import (
    IMPLEMENTED,
    ExperimentSpec,
    chain_hash,
    measurement_hash,
    training_hash,
)
from rgstore import aliases
from rgstore.among import among
from rgstore.asked import name_of
from rgstore.database import Database
from rgstore.invariants.invariant import Breach, Invariant, Scope, pages
from rgstore.records import Summary
from rgstore.stored_specs import DAMAGED, columns_of, loaded_spec, reason_of
from rgstore.summaries import summaries_of, summarised
from rgstore.tables import ExperimentRow, ResultRow, RunRow, SummaryRow, TrainingRow, WeightsRow

Judge = Callable[[Session, ExperimentRow, ExperimentSpec], Iterator[Breach]]
"""What is wrong with an experiment of that spec."""


def _of_specs(judge: Judge, database: Database, scope: Scope) -> Iterator[Breach]:
    """What another release wrote is left out: it is named by that release's forms."""
    row, ours = ExperimentRow, IMPLEMENTED
    names = (
        select(row.id)
        .where(
            row.spec_schema <= ours.spec_schema,
            row.training_protocol == ours.training_protocol,
            row.protocol == ours.protocol,
        )
        .order_by(row.created_at.desc())
        .limit(scope.newest)
    )
    for some in pages(database, names):
        with database.snapshot() as session:
            for experiment in session.scalars(select(row).where(among(row.id, some))).all():
                try:
                    spec = loaded_spec(experiment.spec, [0])
                except DAMAGED:  # that is said by another invariant
                    continue
                yield from judge(session, experiment, spec)


def _misnamed(session: Session, row: ExperimentRow, spec: ExperimentSpec) -> Iterator[Breach]:
    today = {
        "spec_hash": measurement_hash(spec),
        "training_hash": training_hash(spec),
        "chain_hash": chain_hash(spec.chain),
    }
    before = aliases.of(session, today.values())
    for name, digest in today.items():
        if getattr(row, name) not in (digest, *before.get(digest, [])):
            yield {"experiment": row.id, name: getattr(row, name), "of_its_spec": digest}
    if row.id != name_of(row.spec_hash):
        yield {"experiment": row.id, "spec_hash": row.spec_hash}


def _misfiled(
    session: Session,  # noqa: ARG001 - all is in the row
    row: ExperimentRow,
    spec: ExperimentSpec,
) -> Iterator[Breach]:
    for name, value in columns_of(spec).items():
        # null: stored by a release that had no such column
        if getattr(row, name) not in (value, None):
            yield {"experiment": row.id, name: getattr(row, name), "of_its_spec": value}


def _weights(database: Database, scope: Scope) -> Iterator[Breach]:
    row, training = WeightsRow, TrainingRow
    of_training = (training.training_hash == row.training_hash) & (training.seed == row.seed)
    keys = (
        select(row.training_hash, row.seed, row.step)
        .join(training, of_training)
        .order_by(training.trained_at.desc())
        .limit(scope.newest)
    )
    with database.snapshot() as session:
        stored = session.execute(keys).all()
    for training_hash_, seed, step in stored:  # one by one: each may be a quarter of a gigabyte
        digest = func.encode(func.sha256(row.data), "hex")
        with database.snapshot() as session:
            damaged = session.execute(
                select(row.sha256, digest.label("of_its_data")).where(
                    row.training_hash == training_hash_,
                    row.seed == seed,
                    row.step == step,
                    row.sha256 != digest,
                )
            ).one_or_none()
        if damaged is not None:
            key = {"training": training_hash_, "seed": seed, "step": step}
            yield {**key, **damaged._mapping}


def _summaries(database: Database, scope: Scope) -> Iterator[Breach]:
    row = ExperimentRow
    measured = (
        select(RunRow.id)
        .join(ResultRow, ResultRow.run_id == RunRow.id)
        .where(RunRow.experiment_id == row.id)
    )
    known = select(SummaryRow.experiment_id).where(SummaryRow.experiment_id == row.id)
    names = (
        select(row.id)
        .where(measured.exists() | known.exists())
        .order_by(row.updated_at.desc())
        .limit(scope.newest)
    )
    for name in chain.from_iterable(pages(database, names)):
        with database.snapshot() as session:
            stored = {one.key: one for one in summaries_of(session, name)}
            try:
                of_runs = [*summarised(session, name, scope.summarise)]
            except DAMAGED as error:
                yield {"experiment": name, "measured": reason_of(error)}
                continue
        worked_out = {one.key: one for one in of_runs}
        for key in sorted(stored.keys() | worked_out.keys()):
            differing = _differing(stored.get(key), worked_out.get(key))
            if differing:
                when, level, quantity = key
                yield {
                    "experiment": name,
                    "when": when,
                    "level": level,
                    "quantity": quantity,
                    "differing": differing,
                }


def _differing(stored: Summary | None, worked_out: Summary | None) -> list[str]:
    if stored is None or worked_out is None:
        return ["not stored" if stored is None else "of no run"]
    ours, theirs = vars(stored), vars(worked_out)
    # as text: a number that is not defined equals none, and is the same here
    return [name for name in ours if repr(ours[name]) != repr(theirs[name])]


HASHES = Invariant(
    "hashes",
    "The hashes of an experiment are those of its stored spec, or names that these had before.",
    partial(_of_specs, _misnamed),
)
COLUMNS = Invariant(
    "columns",
    "An experiment is found by what its stored spec says.",
    partial(_of_specs, _misfiled),
)
WEIGHTS = Invariant(
    "weights",
    "Stored weights are what was written.",
    _weights,
)
SUMMARIES = Invariant(
    "summaries",
    "Summaries are what the measured runs give, to the last digit.",
    _summaries,
)

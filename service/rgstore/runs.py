"""Reading the runs of experiments."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rgcontract import (
    RunCounts,
    State,
)
from rgstore.among import among
from rgstore.records import RunKey
from rgstore.tables import AttemptRow, RunRow


def seeds_of(session: Session, name: str) -> list[int]:
    """Training seeds of an experiment that are there, whoever asked for them."""
    seeds = select(RunRow.seed).where(RunRow.experiment_id == name).distinct()
    return list(session.scalars(seeds.order_by(RunRow.seed)))


def runs_of(session: Session, name: str, seeds: Collection[int]) -> Sequence[RunRow]:
    """Runs of these training seeds of an experiment, by chain and training seed."""
    return session.scalars(
        select(RunRow)
        .where(RunRow.experiment_id == name, among(RunRow.seed, seeds))
        .order_by(RunRow.chain_seed, RunRow.seed)
    ).all()


def attempts_of(session: Session, run_ids: Sequence[int]) -> Sequence[AttemptRow]:
    """Attempts at these runs, oldest first."""
    return session.scalars(
        select(AttemptRow).where(among(AttemptRow.run_id, run_ids)).order_by(AttemptRow.number)
    ).all()


def count_all_runs(session: Session) -> dict[str, int]:
    """Runs of the whole lab by state."""
    rows = session.execute(select(RunRow.state, func.count()).group_by(RunRow.state))
    return dict(rows.all())


def missing_runs(
    session: Session, wanted: Mapping[str, Collection[RunKey]]
) -> dict[str, list[RunKey]]:
    """Experiment -> runs wanted of it that the lab has neither measured nor queued."""
    rows = session.execute(
        select(RunRow.experiment_id, RunRow.chain_seed, RunRow.seed).where(
            among(RunRow.experiment_id, wanted), RunRow.state != State.CANCELLED
        )
    )
    present: dict[str, set[RunKey]] = {}
    for name, chain_seed, seed in rows:
        present.setdefault(name, set()).add((chain_seed, seed))
    return {name: sorted({*runs} - present.get(name, set())) for name, runs in wanted.items()}


def count_runs(session: Session, names: Iterable[str]) -> dict[str, dict[int, RunCounts]]:
    """Experiment -> training seed -> its runs by state."""
    rows = session.execute(
        select(RunRow.experiment_id, RunRow.seed, RunRow.state, func.count())
        .where(among(RunRow.experiment_id, names))
        .group_by(RunRow.experiment_id, RunRow.seed, RunRow.state)
    )
    found: dict[str, dict[int, dict[str, int]]] = {}
    for name, seed, state, count in rows:
        found.setdefault(name, {}).setdefault(seed, {})[state] = count
    return {
        name: {seed: RunCounts.of(by_state) for seed, by_state in of_seed.items()}
        for name, of_seed in found.items()
    }

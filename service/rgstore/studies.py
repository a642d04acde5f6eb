"""Studies: grids of experiments that are asked for, followed and judged as one.

Locks are taken in the order runs, experiments (by name), study. Whoever writes findings holds an
advisory lock of the study meanwhile, so that storing a run never waits for a verdict.
"""

from __future__ import annotations

import hashlib
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from rgcontract import (
    IMPLEMENTED,
    Protocols,
    State,
    StudyRequest,
    canonical_json,
    shape_hash,
)
from rgstore import outbox
from rgstore.among import among
from rgstore.records import NETWORK_LEVEL, RunKey
from rgstore.submissions import ID_DIGITS, loaded_spec
from rgstore.tables import (
    ExperimentRow,
    MeasurementRow,
    ResultRow,
    RunRow,
    StudyExperimentRow,
    StudyRow,
    SummaryRow,
)
from rgstore.transitions import refresh_experiment

FINDINGS_LOCK = 0x52474C46  # an arbitrary number, "RGLF"; with the study it names a lock
DECIDING_LEVELS = ("position", "sequence")
"""Levels that the claims are about; an experiment has one of them at most."""

Values = dict[tuple[str, str, str], dict[RunKey, list[float]]]
"""(when, level, quantity) -> run -> values."""


@dataclass(frozen=True)
class Member:
    """An experiment of a study."""

    experiment_id: str
    spec_hash: str
    cell: dict[str, Any]
    """Its values on the axes of the grid."""
    corr_len: float
    mixing: str
    state: State


@dataclass(frozen=True)
class RunSums:
    """The runs of an experiment, or of a study, together."""

    by_state: dict[str, int]
    fractions: float
    """Sum over the runs of how far each is."""

    @property
    def total(self) -> int:
        """All runs."""
        return sum(self.by_state.values())


NO_RUNS = RunSums({}, 0.0)


def study_id(spec_hashes: Iterable[str], axes: Iterable[str]) -> str:
    """The name of the study of these experiments on these axes, in whatever order."""
    content = {"axes": sorted(axes), "experiments": sorted(set(spec_hashes))}
    digest = hashlib.sha256(canonical_json(content).encode()).hexdigest()
    return f"s-{digest[:ID_DIGITS]}"


def keep(
    session: Session,
    name: str,
    request: StudyRequest,
    cells: Mapping[str, Mapping[str, Any]],
    *,
    owner: str,
    added_runs: int,
) -> bool:
    """Store a study whose experiments are stored, or bring it up to date. Whether it is new.

    Args:
        session: the transaction that stored the experiments.
        name: its `study_id`.
        request: the latest; seeds asked for before are kept, and a name, if it gives none.
        cells: experiment -> its values on the axes, in the order of the grid.
        owner: who asks; the first one stays the owner.
        added_runs: runs that the request added.
    """
    steering = {
        "target_error": request.target_error,
        "max_seeds": request.max_seeds,
        "priority": request.priority,
    }
    inserted = session.scalar(
        insert(StudyRow)
        .values(
            id=name,
            name=request.name,
            axes=request.axes(),
            seeds=list(request.seeds),
            owner=owner,
            **steering,
        )
        .on_conflict_do_nothing()
        .returning(StudyRow.id)
    )
    if inserted is not None:
        rows = [
            {"study_id": name, "experiment_id": experiment, "place": place, "cell": cell}
            for place, (experiment, cell) in enumerate(cells.items())
        ]
        session.execute(insert(StudyExperimentRow), rows)
        return True
    study = session.get_one(StudyRow, name, with_for_update=True, populate_existing=True)
    changed = (study.target_error, study.max_seeds) != (request.target_error, request.max_seeds)
    study.name = request.name or study.name
    study.seeds = sorted({*study.seeds, *request.seeds})
    for field, value in steering.items():
        setattr(study, field, value)
    if changed or added_runs:
        study.findings_due = True  # with the findings it is seen whether seeds are to be added
    session.flush()
    return False


def get(session: Session, name: str) -> StudyRow | None:
    """A study by its name."""
    return session.get(StudyRow, name)


def page(
    session: Session, *, owner: str | None, after: tuple[datetime, str] | None, limit: int
) -> Sequence[StudyRow]:
    """A page of studies, newest first, from just after a (created_at, id) key."""
    conditions = [] if owner is None else [StudyRow.owner == owner]
    if after is not None:
        conditions.append(tuple_(StudyRow.created_at, StudyRow.id) < after)
    return session.scalars(
        select(StudyRow)
        .where(*conditions)
        .order_by(StudyRow.created_at.desc(), StudyRow.id.desc())
        .limit(limit)
    ).all()


def members(session: Session, study: str) -> list[Member]:
    """The experiments of a study, in the order of its grid."""
    rows = session.execute(
        select(
            ExperimentRow.id,
            ExperimentRow.spec_hash,
            StudyExperimentRow.cell,
            ExperimentRow.corr_len,
            ExperimentRow.mixing,
            ExperimentRow.state,
        )
        .join(StudyExperimentRow, StudyExperimentRow.experiment_id == ExperimentRow.id)
        .where(StudyExperimentRow.study_id == study)
        .order_by(StudyExperimentRow.place)
    )
    return [
        Member(name, spec_hash, cell, corr_len, mixing, State(state))
        for name, spec_hash, cell, corr_len, mixing, state in rows
    ]


def runs_by_experiment(session: Session, name: str) -> dict[str, RunSums]:
    """Experiment of a study -> its runs."""
    return _run_sums(session, [name], by_study=False)


def runs_by_study(session: Session, names: Sequence[str]) -> dict[str, RunSums]:
    """Study -> the runs of its experiments."""
    return _run_sums(session, names, by_study=True)


def _run_sums(session: Session, names: Sequence[str], *, by_study: bool) -> dict[str, RunSums]:
    key = StudyExperimentRow.study_id if by_study else StudyExperimentRow.experiment_id
    rows = session.execute(
        select(key, RunRow.state, func.count(), func.sum(RunRow.fraction))
        .join(RunRow, RunRow.experiment_id == StudyExperimentRow.experiment_id)
        .where(among(StudyExperimentRow.study_id, names))
        .group_by(key, RunRow.state)
    )
    counts: dict[str, dict[str, int]] = {}
    fractions: dict[str, float] = {}
    for name, state, count, fraction in rows:
        counts.setdefault(name, {})[state] = count
        fractions[name] = fractions.get(name, 0.0) + fraction
    return {name: RunSums(by_state, fractions[name]) for name, by_state in counts.items()}


def over_chains(session: Session, name: str) -> bool:
    """Whether experiments of a study run on several chains each."""
    several = (
        select(RunRow.experiment_id)
        .join(StudyExperimentRow, StudyExperimentRow.experiment_id == RunRow.experiment_id)
        .where(StudyExperimentRow.study_id == name)
        .group_by(RunRow.experiment_id)
        .having(func.count(RunRow.chain_seed.distinct()) > 1)
        .limit(1)
    )
    return session.scalar(several) is not None


def under_trained(session: Session, name: str) -> dict[str, bool]:
    """Experiment of a study -> whether any run of it is, for those that are measured."""
    rows = session.execute(
        select(SummaryRow.experiment_id, SummaryRow.mean)
        .join(StudyExperimentRow, StudyExperimentRow.experiment_id == SummaryRow.experiment_id)
        .where(
            StudyExperimentRow.study_id == name,
            SummaryRow.when == "final",
            SummaryRow.level == NETWORK_LEVEL,
            SummaryRow.quantity == "under_trained",
        )
    )
    return {experiment: bool(mean[0]) for experiment, mean in rows}


@dataclass(frozen=True)
class CollapseRatios:
    """rank_L / rank_0 of the measured runs of an experiment."""

    of_run: dict[RunKey, float]

    @property
    def standard_error(self) -> float | None:
        """Of the mean: over runs, or over chains if there are several; None where there is none."""
        chains: dict[int, list[float]] = {}
        for (chain_seed, _), ratio in self.of_run.items():
            chains.setdefault(chain_seed, []).append(ratio)
        sample = [statistics.fmean(ratios) for ratios in chains.values()]
        if len(sample) == 1:
            sample = list(self.of_run.values())
        if len(sample) < 2 or not all(map(math.isfinite, sample)):
            return None
        return statistics.stdev(sample) / math.sqrt(len(sample))


def collapse_ratios(session: Session, name: str) -> dict[str, CollapseRatios]:
    """Experiment of a study -> its collapse ratios, at the level that the claims are about."""
    first = MeasurementRow.values[1]
    last = MeasurementRow.values[func.cardinality(MeasurementRow.values)]
    rows = session.execute(
        select(RunRow.experiment_id, RunRow.chain_seed, RunRow.seed, first, last)
        .join(StudyExperimentRow, StudyExperimentRow.experiment_id == RunRow.experiment_id)
        .join(MeasurementRow, MeasurementRow.run_id == RunRow.id)
        .where(
            StudyExperimentRow.study_id == name,
            RunRow.state == State.DONE,
            MeasurementRow.when == "final",
            among(MeasurementRow.level, DECIDING_LEVELS),
            MeasurementRow.quantity == "effective_rank",
        )
    )
    found: dict[str, CollapseRatios] = {}
    for experiment, chain_seed, seed, rank_0, rank_l in rows:
        ratios = found.setdefault(experiment, CollapseRatios({})).of_run
        ratios[chain_seed, seed] = rank_l / rank_0 if rank_0 else math.nan
    return found


def claim_values(session: Session, name: str) -> dict[str, Values]:
    """Experiment of a study -> what the claims are read from, of its measured runs."""
    rows = session.execute(
        select(
            RunRow.experiment_id,
            RunRow.chain_seed,
            RunRow.seed,
            MeasurementRow.when,
            MeasurementRow.level,
            MeasurementRow.quantity,
            MeasurementRow.values,
        )
        .join(StudyExperimentRow, StudyExperimentRow.experiment_id == RunRow.experiment_id)
        .join(MeasurementRow, MeasurementRow.run_id == RunRow.id)
        .where(
            StudyExperimentRow.study_id == name,
            RunRow.state == State.DONE,
            or_(
                and_(
                    among(MeasurementRow.when, ("initial", "final")),
                    among(MeasurementRow.quantity, ("effective_rank", "kernel_drift")),
                ),
                and_(
                    MeasurementRow.when == "final",
                    among(MeasurementRow.quantity, ("under_trained", "too_few_samples")),
                ),
            ),
        )
        .order_by(RunRow.chain_seed, RunRow.seed)
    )
    found: dict[str, Values] = {}
    for experiment, chain_seed, seed, when, level, quantity, values in rows:
        of_run = found.setdefault(experiment, {}).setdefault((when, level, quantity), {})
        of_run[chain_seed, seed] = values
    return found


def count_measured(session: Session, name: str) -> int:
    """Measured runs of the experiments of a study."""
    return (
        session.scalar(
            select(func.count())
            .select_from(ResultRow)
            .join(RunRow, RunRow.id == ResultRow.run_id)
            .join(StudyExperimentRow, StudyExperimentRow.experiment_id == RunRow.experiment_id)
            .where(StudyExperimentRow.study_id == name)
        )
        or 0
    )


def mark_due(session: Session, experiment_id: str) -> None:
    """A run of this experiment was measured: the findings of its studies are to be written anew."""
    containing = (
        select(StudyRow.id)
        .join(StudyExperimentRow, StudyExperimentRow.study_id == StudyRow.id)
        .where(StudyExperimentRow.experiment_id == experiment_id)
        .order_by(StudyRow.id)  # two that mark the same studies take their locks in one order
        .with_for_update(of=StudyRow, key_share=True)
    )
    names = session.scalars(containing).all()
    if names:
        session.execute(
            update(StudyRow)
            .where(among(StudyRow.id, names))
            .values(findings_due=True)
            .execution_options(synchronize_session=False)
        )


def next_due(session: Session, implements: Protocols = IMPLEMENTED) -> StudyRow | None:
    """A study whose findings are to be written, kept from others until this transaction ends.

    None if there is none, or other workers are at them. What a newer release measured is judged by
    a worker that implements it.
    """
    newer = (
        select(StudyExperimentRow.study_id)
        .join(ExperimentRow, ExperimentRow.id == StudyExperimentRow.experiment_id)
        .where(
            StudyExperimentRow.study_id == StudyRow.id,
            or_(
                ExperimentRow.spec_schema > implements.spec_schema,
                ExperimentRow.training_protocol > implements.training_protocol,
                ExperimentRow.protocol > implements.protocol,
            ),
        )
    )
    due = select(StudyRow).where(StudyRow.findings_due, ~newer.exists()).order_by(StudyRow.id)
    for study in session.scalars(due).all():
        lock = func.pg_try_advisory_xact_lock(FINDINGS_LOCK, func.hashtext(study.id))
        if session.scalar(select(lock)):
            session.refresh(study)  # whoever held the lock before may have written them
            if study.findings_due:
                return study
    return None


def keep_findings(
    session: Session, study: StudyRow, findings: dict[str, Any] | None, *, over: int
) -> None:
    """Write the findings; they stay due if runs were measured while they were made.

    Args:
        session: the transaction of `next_due`.
        study: what it gave.
        findings: as JSON, `rgcontract.Findings`; None if nothing is measured.
        over: `count_measured` from before the values were read.
    """
    session.refresh(study, with_for_update={"key_share": True})
    # counted under the lock: a run that commits later waits for it and marks the study anew
    study.findings_due = count_measured(session, study.id) != over
    study.findings = findings
    study.findings_at = session.scalar(select(func.clock_timestamp()))
    session.flush()


def add_seeds(
    session: Session, experiment_id: str, n: int, *, priority: int, attempt_limit: int
) -> list[int]:
    """Queue the next `n` unused training seeds of an experiment. Returns the runs."""
    experiment = session.get_one(ExperimentRow, experiment_id)
    used = set(session.scalars(select(RunRow.seed).where(RunRow.experiment_id == experiment_id)))
    unused = [seed for seed in range(len(used) + n) if seed not in used][:n]
    spec = loaded_spec(experiment.spec, unused)
    device = session.scalars(  # where those before were asked for last
        select(RunRow.device)
        .where(RunRow.experiment_id == experiment_id)
        .order_by(RunRow.id.desc())
        .limit(1)
    ).one()
    shape = shape_hash(spec)
    wanted = [
        {
            "experiment_id": experiment_id,
            "chain_seed": chain_seed,
            "seed": seed,
            "state": State.QUEUED,
            "priority": priority,
            "shape": shape,
            "device": device,
            "attempt_limit": attempt_limit,
        }
        for chain_seed, seed in spec.runs
    ]
    statement = (
        insert(RunRow)
        .on_conflict_do_nothing(index_elements=["experiment_id", "chain_seed", "seed"])
        .returning(RunRow.id)
    )
    added = session.scalars(statement, wanted).all()  # in batches, however many draws there are
    outbox.put(session, device, added)
    refresh_experiment(session, experiment_id)
    return list(added)

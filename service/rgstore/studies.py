"""Studies: grids of experiments that are asked for, followed and judged as one.

Its experiments are shared; of each, the study is about the seeds that its own requests named, and
what others asked for there is none of its business.

Locks are taken in the order runs, experiments (by name), study. Whoever writes findings holds an
advisory lock of the study meanwhile, so that storing a run never waits for a verdict.
"""

from __future__ import annotations

import hashlib
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Session

from rgcontract import (
    IMPLEMENTED,
    ExperimentSpec,
    Protocols,
    RunCounts,
    State,
    StudyRequest,
    Submission,
    canonical_json,
)
from rgstore.among import among
from rgstore.records import NETWORK_LEVEL, RunKey
from rgstore.submissions import ID_DIGITS, Asked, loaded_spec, submit_all
from rgstore.tables import (
    ExperimentRow,
    MeasurementRow,
    ResultRow,
    RunRow,
    StudyExperimentRow,
    StudyRow,
    SubmissionRow,
)
from rgstore.wishes import of_study

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


@dataclass(frozen=True)
class RunSums:
    """The runs of an experiment, or of a study, together."""

    counts: RunCounts = field(default_factory=RunCounts)
    fractions: float = 0.0
    """Sum over the runs of how far each is."""
    seeds: frozenset[int] = frozenset()
    """Training seeds of them."""

    @property
    def is_done(self) -> bool:
        """Whether all are measured."""
        return self.counts.done == self.counts.total

    def __add__(self, other: RunSums) -> RunSums:
        """Of both together."""
        return RunSums(
            self.counts + other.counts,
            self.fractions + other.fractions,
            self.seeds | other.seeds,
        )


NO_RUNS = RunSums()


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

    The latest request steers it; while others want it too, it may only make it more precise or more
    urgent.

    Args:
        session: the transaction that stored the experiments.
        name: its `study_id`.
        request: the latest; seeds asked for before are kept, and a name, if the owner gives none.
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
    study = session.get_one(
        StudyRow, name, with_for_update={"key_share": True}, populate_existing=True
    )
    before = (study.seeds, study.target_error, study.max_seeds)
    study.seeds = sorted({*study.seeds, *request.seeds})
    names = (request.name, study.name) if owner == study.owner else (study.name, request.name)
    study.name = names[0] or names[1]
    if _others_want(session, name, owner):
        study.priority = max(study.priority, request.priority)
        if request.target_error is not None:
            study.target_error = min(request.target_error, study.target_error or math.inf)
            study.max_seeds = max(study.max_seeds, request.max_seeds)
    else:
        for field, value in steering.items():
            setattr(study, field, value)
    if added_runs or before != (study.seeds, study.target_error, study.max_seeds):
        study.findings_due = True  # with the findings it is seen whether seeds are to be added
    session.flush()
    return False


def _others_want(session: Session, name: str, owner: str) -> bool:
    row = SubmissionRow
    wants = or_(row.wanted.is_(None), func.cardinality(row.wanted) > 0)
    others = select(row.id).where(row.study_id == name, row.owner != owner, wants).limit(1)
    return session.scalar(others) is not None


def get(session: Session, name: str) -> StudyRow | None:
    """A study by its name."""
    return session.get(StudyRow, name)


def get_one(session: Session, name: str) -> StudyRow:
    """A study that is there."""
    return session.get_one(StudyRow, name)


def owners_of(session: Session, name: str) -> list[str]:
    """Who has asked for a study."""
    row = SubmissionRow
    owners = select(row.owner).where(row.study_id == name).distinct()
    return list(session.scalars(owners.order_by(row.owner)))


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
        )
        .join(StudyExperimentRow, StudyExperimentRow.experiment_id == ExperimentRow.id)
        .where(StudyExperimentRow.study_id == study)
        .order_by(StudyExperimentRow.place)
    )
    return [Member(*values) for values in rows]


@dataclass(frozen=True)
class Part:
    """A study, or a part of what was asked for of it: what is read is of that."""

    study: str
    left_out: frozenset[int] = frozenset()
    """Training seeds of other requests."""

    @property
    def runs(self) -> ColumnElement[bool]:
        """Whether a run belongs to it; experiments of a study are joined to their runs."""
        own = of_study(self.study)
        return and_(own, ~among(RunRow.seed, self.left_out)) if self.left_out else own


def runs_by_experiment(session: Session, part: Part) -> dict[str, RunSums]:
    """Experiment of a study -> its runs."""
    return _run_sums(session, StudyExperimentRow.experiment_id, [part.study], part.runs)


def runs_by_study(session: Session, names: Sequence[str]) -> dict[str, RunSums]:
    """Study -> the runs of its experiments."""
    study = StudyExperimentRow.study_id
    return _run_sums(session, study, names, of_study(study))


def _run_sums(
    session: Session,
    key: InstrumentedAttribute[str],
    names: Sequence[str],
    own: ColumnElement[bool],
) -> dict[str, RunSums]:
    rows = session.execute(
        select(
            key,
            RunRow.state,
            func.count(),
            func.sum(RunRow.fraction),
            func.array_agg(RunRow.seed.distinct()),
        )
        .join(RunRow, RunRow.experiment_id == StudyExperimentRow.experiment_id)
        .where(among(StudyExperimentRow.study_id, names), own)
        .group_by(key, RunRow.state)
    )
    found: dict[str, RunSums] = {}
    for name, state, count, fraction, seeds in rows:
        sums = RunSums(RunCounts(**{state: count}), fraction, frozenset(seeds))
        found[name] = found.get(name, NO_RUNS) + sums
    return found


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


def _measured(
    part: Part, *columns: ColumnElement[Any] | InstrumentedAttribute[Any]
) -> Select[*tuple[Any, ...]]:
    """Experiment, chain seed, seed and columns of what the runs of a study measured."""
    return (
        select(RunRow.experiment_id, RunRow.chain_seed, RunRow.seed, *columns)
        .join(StudyExperimentRow, StudyExperimentRow.experiment_id == RunRow.experiment_id)
        .join(MeasurementRow, MeasurementRow.run_id == RunRow.id)
        .where(StudyExperimentRow.study_id == part.study, part.runs, RunRow.state == State.DONE)
    )


def under_trained(session: Session, part: Part) -> dict[str, bool]:
    """Experiment of a study -> whether any run of it is, for those that are measured."""
    rows = session.execute(
        _measured(part, MeasurementRow.values[1]).where(
            MeasurementRow.when == "final",
            MeasurementRow.level == NETWORK_LEVEL,
            MeasurementRow.quantity == "under_trained",
        )
    )
    found: dict[str, bool] = {}
    for experiment, _, _, flag in rows:
        found[experiment] = found.get(experiment, False) or bool(flag)
    return found


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


def collapse_ratios(session: Session, part: Part) -> dict[str, CollapseRatios]:
    """Experiment of a study -> its collapse ratios, at the level that the claims are about."""
    first = MeasurementRow.values[1]
    last = MeasurementRow.values[func.cardinality(MeasurementRow.values)]
    rows = session.execute(
        _measured(part, first, last).where(
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
    row = MeasurementRow
    rows = session.execute(
        _measured(Part(name), row.when, row.level, row.quantity, row.values)
        .where(
            or_(
                and_(
                    among(row.when, ("initial", "final")),
                    among(row.quantity, ("effective_rank", "kernel_drift")),
                ),
                and_(
                    row.when == "final",
                    among(row.quantity, ("under_trained", "too_few_samples")),
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
    """Measured runs of a study."""
    return (
        session.scalar(
            select(func.count())
            .select_from(ResultRow)
            .join(RunRow, RunRow.id == ResultRow.run_id)
            .join(StudyExperimentRow, StudyExperimentRow.experiment_id == RunRow.experiment_id)
            .where(StudyExperimentRow.study_id == name, of_study(name))
        )
        or 0
    )


def mark_due(session: Session, experiment_id: str, seed: int) -> None:
    """A seed was measured: the findings of the studies that asked for it are to be written anew."""
    row = SubmissionRow
    asked = or_(row.seeds.is_(None), row.seeds.contains([seed]))
    containing = (
        select(StudyRow.id)
        .where(
            exists().where(row.study_id == StudyRow.id, row.experiment_id == experiment_id, asked)
        )
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


def owners_served(session: Session, name: str) -> list[str]:
    """Who asked for a study, wants it still, and has all that they asked for measured."""
    row = SubmissionRow
    wants = RunRow.seed == func.any(row.wanted)
    rows = select(row.owner).join(RunRow, and_(RunRow.experiment_id == row.experiment_id, wants))
    served = (
        rows.where(row.study_id == name)
        .group_by(row.owner)
        .having(func.bool_and(RunRow.state == State.DONE))
        .order_by(row.owner)
    )
    return list(session.scalars(served))


def add_seeds(
    session: Session,
    study: StudyRow,
    more: Mapping[str, int],
    *,
    owners: Sequence[str],
    attempt_limit: int,
) -> list[int]:
    """Ask for further training seeds of experiments of a study, in the name of its owners.

    Seeds that others have had measured or queued are taken like any other; those that have failed
    are passed over, for they would fail this study too.

    Args:
        session: the transaction.
        study: the study.
        more: experiment -> how many seeds.
        owners: who asks.
        attempt_limit: of the runs that are added.

    Returns:
        The runs to send messages for.
    """
    further = [_further(session, study.id, name, n) for name, n in more.items() if n]
    run_ids: list[int] = []
    for owner in owners if further else []:
        stored = submit_all(
            session,
            [_on_terms_of(session, study, owner, *one) for one in further],
            owner=owner,
            attempt_limit=attempt_limit,
            study_id=study.id,
        )
        run_ids += [run_id for one in stored for run_id in one.run_ids]
    return run_ids


def _further(
    session: Session, study: str, name: str, n: int
) -> tuple[ExperimentRow, ExperimentSpec]:
    """An experiment with the next `n` seeds of it that a study does not have yet."""
    experiment = session.get_one(ExperimentRow, name)
    unfit = or_(of_study(study), RunRow.state == State.FAILED)
    taken = set(session.scalars(select(RunRow.seed).where(RunRow.experiment_id == name, unfit)))
    free = [seed for seed in range(len(taken) + n) if seed not in taken][:n]
    return experiment, loaded_spec(experiment.spec, free)


def _on_terms_of(
    session: Session, study: StudyRow, owner: str, experiment: ExperimentRow, spec: ExperimentSpec
) -> Asked:
    """A request as urgent as the study, for the device that its owner named last for it."""
    row = SubmissionRow
    device: Any = session.scalar(
        select(row.device)
        .where(row.study_id == study.id, row.experiment_id == experiment.id, row.owner == owner)
        .order_by(row.id.desc())
        .limit(1)
    )
    submission = Submission.model_construct(
        **dict(spec), priority=study.priority, device=device or "any"
    )
    return Asked(experiment.id, experiment.spec_hash, submission, experiment.flops_per_run)

"""The runs of a study: how far they are, and what they measured."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from rgcontract import RunCounts, State
from rgcontract.networks import DECIDING_LEVELS
from rgcontract.observables import NETWORK
from rgstore.among import among
from rgstore.records import RunKey
from rgstore.tables import (
    MeasurementRow,
    ResultRow,
    RunRow,
    StudyExperimentRow,
    SubmissionRow,
)
from rgstore.wishes import of_study

Values = dict[tuple[str, str, str], dict[RunKey, list[float]]]
"""(when, level, quantity) -> run -> values."""


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


@dataclass(frozen=True)
class Part:
    """A study, or a part of what was asked for of it: what is read is of that."""

    study: str
    left_out: frozenset[int] = frozenset()
    """Training seeds of other requests."""
    reader: str | None = None
    """Who asked for the study, and has no part in seeds that the targets of others added."""
    named: frozenset[int] = frozenset()
    """Training seeds that requests named, and no target added."""

    @property
    def runs(self) -> ColumnElement[bool]:
        """Whether a run belongs to it; experiments of a study are joined to their runs."""
        own = of_study(self.study)
        if self.left_out:
            own = and_(own, ~among(RunRow.seed, self.left_out))
        if self.reader is None:
            return own
        row = SubmissionRow
        stranger = ~exists().where(row.study_id == self.study, row.owner == self.reader)
        theirs = or_(among(RunRow.seed, self.named), of_study(self.study, self.reader), stranger)
        return and_(own, theirs)


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
        sums = RunSums(RunCounts.of({state: count}), fraction, frozenset(seeds))
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
            MeasurementRow.level == NETWORK,
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
        known = rank_0 and rank_l is not None
        ratios[chain_seed, seed] = rank_l / rank_0 if known else math.nan
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

"""Who wants which runs: a run goes on while anybody does, and waits for the least that they ask.

Wishes are what `SubmissionRow.wanted` says. Runs are locked before the wishes for them are read or
written, here and by whoever submits, so that nobody stops what another asks for at that moment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select, tuple_, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from rgcontract import State
from rgstore import outbox
from rgstore.among import among
from rgstore.audit import Change
from rgstore.charges import charge
from rgstore.tables import ExperimentRow, RunRow, SubmissionRow
from rgstore.transitions import combined, lock_runs, move, refresh_experiments

UNENDED = (State.QUEUED, State.RUNNING)
ENDED = (State.FAILED, State.CANCELLED)
"""Without a measurement."""

Seeds = dict[str, set[int]]
"""Experiment -> training seeds of it, or person -> training seeds that they want."""


@dataclass(frozen=True)
class Withdrawal:
    """What came of withdrawing wishes."""

    asked: bool
    """Whether the owner has ever asked for any of it."""
    ended: State | None
    """The state of all that they asked for, if nothing of it was still to end."""
    changes: list[Change]
    """Of each experiment, who wanted which seeds of it and who wants them now."""


def of_study(
    study: str | InstrumentedAttribute[str], owner: str | None = None
) -> ColumnElement[bool]:
    """Whether a run is one that this study asked for, by whomever, or by one person."""
    row = SubmissionRow
    named = or_(row.seeds.is_(None), RunRow.seed == func.any(row.seeds))
    own = [] if owner is None else [row.owner == owner]
    of_run = row.experiment_id == RunRow.experiment_id
    return exists().where(row.study_id == study, *own, of_run, named)


def wants_any() -> ColumnElement[bool]:
    """Whether a request wants any run still."""
    wanted = SubmissionRow.wanted
    return or_(wanted.is_(None), func.cardinality(wanted) > 0)


def _wished() -> ColumnElement[bool]:
    """Whether a request wants a run."""
    row = SubmissionRow
    wants = or_(row.wanted.is_(None), RunRow.seed == func.any(row.wanted))
    return and_(row.experiment_id == RunRow.experiment_id, wants)


def wanted_by(owner: str) -> ColumnElement[bool]:
    """Whether somebody wants a run."""
    return exists(select(SubmissionRow.id).where(SubmissionRow.owner == owner, _wished()))


def weigh(session: Session, run_ids: Collection[int]) -> None:
    """Let runs wait for the least that any of those asks who want them.

    That is the device if all name the same, any device otherwise, and the largest priority. Those
    who may take a run that waits for another device now are told of it.

    Args:
        session: a transaction that has locked the runs.
        run_ids: of runs; those that have ended, and those that nobody wants, stay as they are.
    """
    row, request = RunRow, SubmissionRow
    same = func.count(request.device.distinct()) == 1
    least = (
        select(
            row.id,
            case((same, func.min(request.device)), else_="any").label("device"),
            func.max(request.priority).label("priority"),
        )
        .join(request, _wished())
        .where(among(row.id, run_ids), among(row.state, UNENDED))
        .group_by(row.id)
        .subquery()
    )
    others = session.execute(
        select(row.id, row.state, least.c.device, least.c.priority, row.device != least.c.device)
        .join(least, least.c.id == row.id)
        .where(tuple_(row.device, row.priority) != tuple_(least.c.device, least.c.priority))
    ).all()
    by_words: dict[tuple[str, int], list[int]] = {}
    for run_id, _, device, priority, _ in others:
        by_words.setdefault((device, priority), []).append(run_id)
    for (device, priority), ids in by_words.items():
        session.execute(
            update(row)
            .where(among(row.id, ids))
            .values(device=device, priority=priority)
            .execution_options(synchronize_session=False)
        )
    for run_id, state, device, _, elsewhere in others:
        if elsewhere and state == State.QUEUED:
            outbox.put(session, device, [run_id])


def withdraw(
    session: Session,
    names: Collection[str],
    owner: str | None,
    *,
    seeds: Collection[int] | None = None,
    study: str | None = None,
) -> Withdrawal:
    """Take back what one person asked for, or everybody; stop what nobody wants any more.

    A run in line is cancelled, a running one is to stop at its next heartbeat.

    Args:
        session: the transaction.
        names: experiments.
        owner: whose wishes; None for everybody's.
        seeds: of these training seeds; None for all.
        study: only the wishes that are part of it; None for all.
    """
    chosen = [among(RunRow.experiment_id, names)]
    if seeds is not None:
        chosen.append(among(RunRow.seed, seeds))
    still_to_end = lock_runs(session, *chosen, among(RunRow.state, UNENDED))
    asked, changes = _take_back(session, names, owner, seeds, study)
    runs = [run for run in still_to_end if (run.experiment_id, run.seed) in asked]
    run_ids = [run.id for run in runs]
    _stop_unwanted(session, run_ids)
    weigh(session, run_ids)
    refresh_experiments(session, {run.experiment_id for run in runs})
    ended = None
    if not run_ids:
        there = select(RunRow.experiment_id, RunRow.seed, RunRow.state).where(*chosen)
        ended = combined(
            {state for name, seed, state in session.execute(there) if (name, seed) in asked}
        )
    return Withdrawal(asked=bool(asked), ended=ended, changes=changes)


def _take_back(
    session: Session,
    names: Collection[str],
    owner: str | None,
    seeds: Collection[int] | None,
    study: str | None,
) -> tuple[set[tuple[str, int]], list[Change]]:
    """Of these seeds, those that someone has ever asked for: (experiment, seed). None is wanted.

    With it who wanted what before, and who wants what now.
    """
    row = SubmissionRow
    there = _seeds_there(session, names)
    requests = session.scalars(
        select(row)
        .where(
            among(row.experiment_id, names),
            *([] if owner is None else [row.owner == owner]),
            *([] if study is None else [row.study_id == study]),
        )
        .order_by(row.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    asked: set[tuple[str, int]] = set()
    before: dict[str, Seeds] = {}
    after: dict[str, Seeds] = {}
    for request in requests:
        every = there.get(request.experiment_id, set())
        named = every if request.seeds is None else set(request.seeds)
        wanted = every if request.wanted is None else set(request.wanted)
        gone = named | wanted if seeds is None else (named | wanted).intersection(seeds)
        asked |= {(request.experiment_id, seed) for seed in gone}
        request.wanted = sorted(wanted - gone)
        for found, those in ((before, wanted), (after, wanted - gone)):
            found.setdefault(request.experiment_id, {}).setdefault(request.owner, set()).update(
                those
            )
    session.flush()
    return asked, [
        Change(name, _wanting(before[name]), _wanting(after[name]))
        for name in sorted(before)
        if before[name] != after[name]
    ]


def _wanting(seeds_of: Seeds) -> dict[str, Any]:
    return {"wanted": {owner: sorted(seeds) for owner, seeds in sorted(seeds_of.items())}}


def _seeds_there(session: Session, names: Collection[str]) -> Seeds:
    rows = session.execute(
        select(RunRow.experiment_id, RunRow.seed)
        .where(among(RunRow.experiment_id, names))
        .distinct()
    )
    found: Seeds = {}
    for name, seed in rows:
        found.setdefault(name, set()).add(seed)
    return found


def _stop_unwanted(session: Session, run_ids: Collection[int]) -> None:
    unwanted = session.scalars(
        select(RunRow.id).where(
            among(RunRow.id, run_ids), ~exists(select(SubmissionRow.id).where(_wished()))
        )
    ).all()
    move(session, State.QUEUED, State.CANCELLED, among(RunRow.id, unwanted))
    session.execute(
        update(RunRow)
        .where(among(RunRow.id, unwanted), RunRow.state == State.RUNNING)
        .values(cancel_requested=True)
        .execution_options(synchronize_session=False)
    )


def want_again(
    session: Session,
    where: Iterable[ColumnElement[bool]],
    owner: str,
    *,
    attempt_limit: int,
    study: str | None = None,
) -> list[Change]:
    """Queue failed and cancelled runs again, with a fresh allowance, for whoever asks.

    Args:
        session: the transaction.
        where: which runs.
        owner: who asks; from now on they want these runs.
        attempt_limit: tries at a run.
        study: that the wish is part of; None for none.

    Returns:
        Of each experiment, the seeds that had ended and those that wait now; none if there were
        none.
    """
    ended = lock_runs(session, among(RunRow.state, ENDED), *where)
    if not ended:
        return []
    changes = _queued_again(ended)
    _wish(session, ended, owner, study)
    for source in ENDED:
        move(
            session,
            source,
            State.QUEUED,
            among(RunRow.id, [run.id for run in ended if run.state == source]),
            attempt_limit=RunRow.attempt + attempt_limit,
            error=None,
        )
    weigh(session, [run.id for run in ended])
    refresh_experiments(session, {run.experiment_id for run in ended})
    charge(session, owner, _flops(session, ended))
    return changes


def _flops(session: Session, runs: Iterable[RunRow]) -> float:
    per_run = dict(
        session.execute(
            select(ExperimentRow.id, ExperimentRow.flops_per_run).where(
                among(ExperimentRow.id, {run.experiment_id for run in runs})
            )
        ).all()
    )
    return sum(per_run[run.experiment_id] for run in runs)


def _queued_again(ended: Iterable[RunRow]) -> list[Change]:
    of: dict[str, Seeds] = {}
    for run in ended:
        of.setdefault(run.experiment_id, {}).setdefault(run.state, set()).add(run.seed)
    return [
        Change(
            name,
            {state: sorted(seeds) for state, seeds in sorted(before.items())},
            {State.QUEUED.value: sorted(set().union(*before.values()))},
        )
        for name, before in sorted(of.items())
    ]


def set_priority(
    session: Session,
    names: Collection[str],
    owner: str | None,
    priority: int,
    *,
    study: str | None = None,
) -> None:
    """Have what somebody asked for go so soon, also what waits already.

    Args:
        session: a transaction that has locked the runs of these experiments that are to end.
        names: experiments.
        owner: whose wishes; None for everybody's.
        priority: larger goes first.
        study: only the wishes that are part of it; None for all.
    """
    row = SubmissionRow
    session.execute(
        update(row)
        .where(
            among(row.experiment_id, names),
            *([] if owner is None else [row.owner == owner]),
            *([] if study is None else [row.study_id == study]),
        )
        .values(priority=priority)
        .execution_options(synchronize_session=False)
    )
    weigh(session, [run.id for run in lock_unended(session, names)])


def lock_unended(session: Session, names: Collection[str]) -> Sequence[RunRow]:
    """Lock what is still to end of experiments, as whoever asks for it or withdraws does."""
    return lock_runs(session, among(RunRow.experiment_id, names), among(RunRow.state, UNENDED))


def priority_of(session: Session, name: str) -> int | None:
    """The largest that anybody gave who wants any of an experiment; None if nobody does."""
    row = SubmissionRow
    return session.scalar(
        select(func.max(row.priority)).where(row.experiment_id == name, wants_any())
    )


def _wish(session: Session, runs: Collection[RunRow], owner: str, study: str | None) -> None:
    """Want these runs in the name of someone, on the terms of their latest request if any."""
    row = SubmissionRow
    wanted: Seeds = {}
    for run in runs:
        wanted.setdefault(run.experiment_id, set()).add(run.seed)
    of_owner = session.scalars(
        select(row).where(row.owner == owner, among(row.experiment_id, wanted)).order_by(row.id)
    ).all()
    latest = {request.experiment_id: request for request in of_owner}
    for request in of_owner:
        if request.study_id == study:
            named = wanted[request.experiment_id] if request.wanted is None else request.wanted
            wanted[request.experiment_id] = wanted[request.experiment_id].difference(named)
    terms: dict[str, Any] = {run.experiment_id: run for run in runs} | latest
    session.add_all(
        row(
            owner=owner,
            body_hash="",
            experiment_id=name,
            created=False,
            added_seeds=[],
            seeds=sorted(seeds),
            wanted=sorted(seeds),
            tags=[],
            priority=terms[name].priority,
            device=terms[name].device,
            study_id=study,
        )
        for name, seeds in sorted(wanted.items())
        if seeds
    )
    session.flush()

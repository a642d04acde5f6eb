"""Stored rows as the wire shows them: experiments, runs, attempts, lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from rgcontract import (
    Attempt,
    Experiment,
    ExperimentSpec,
    ExperimentSummary,
    Progress,
    Run,
    RunCounts,
    State,
    Waiting,
)
from rgstore import experiments, waiting
from rgstore.submissions import UnreadableSpecError, count_runs, loaded_spec
from rgstore.tables import AttemptRow, ExperimentRow, RunRow


def experiment_view(session: Session, row: ExperimentRow) -> Experiment:
    """An experiment with its runs and their attempts."""
    runs = experiments.runs_of(session, [row.id])
    attempts: dict[int, list[AttemptRow]] = {}
    for attempt in experiments.attempts_of(session, [run.id for run in runs]):
        attempts.setdefault(attempt.run_id, []).append(attempt)
    spec, unreadable = _spec(row, runs)
    steps = spec.training.steps if spec else None
    return Experiment(
        id=row.id,
        spec_hash=row.spec_hash,
        training_hash=row.training_hash,
        protocol=row.protocol,
        spec=spec,
        unreadable=unreadable,
        state=State(row.state),
        progress=sum(run.fraction for run in runs) / len(runs),
        waiting=_waiting(session, row, runs),
        run_counts=counts(runs),
        runs=[_run_view(run, attempts.get(run.id, []), steps) for run in runs],
        label=row.label,
        tags=row.tags,
        priority=row.priority,
        owner=row.owner,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _spec(row: ExperimentRow, runs: Sequence[RunRow]) -> tuple[ExperimentSpec | None, str | None]:
    """The spec, or why this server cannot read it: all else can still be seen and steered."""
    try:
        return loaded_spec(row.spec, sorted({run.seed for run in runs})), None
    except UnreadableSpecError as error:
        return None, str(error)


def summary_views(
    session: Session, rows: Sequence[Row[*tuple[Any, ...]]]
) -> list[ExperimentSummary]:
    """Experiments as a list shows them."""
    runs = count_runs(session, [row.id for row in rows])
    stuck = waiting.stuck(session, [row.id for row in rows if row.state == State.QUEUED])
    return [
        ExperimentSummary(
            id=row.id,
            spec_hash=row.spec_hash,
            state=State(row.state),
            family=row.family,
            corr_len=row.corr_len,
            mixing=row.mixing,
            depth=row.depth,
            width=row.width,
            run_counts=RunCounts(**runs[row.id]),
            label=row.label,
            tags=row.tags,
            owner=row.owner,
            created_at=row.created_at,
            updated_at=row.updated_at,
            stuck=stuck.get(row.id),
        )
        for row in rows
    ]


def counts(runs: Sequence[RunRow]) -> RunCounts:
    """Runs by state."""
    return RunCounts(**{state: sum(run.state == state for run in runs) for state in State})


def _waiting(session: Session, row: ExperimentRow, runs: Sequence[RunRow]) -> Waiting | None:
    if row.state != State.QUEUED:
        return None
    queued = [run for run in runs if run.state == State.QUEUED]
    if not queued:  # a worker took the last one since the row was read
        return None
    first = min(queued, key=lambda run: (-run.priority, run.queued_at, run.id))
    place = experiments.place_in_line(session, first)
    ahead = "1 run goes first" if place == 1 else f"{place} runs go first"
    in_line = ahead if place else "next in line"
    stuck = waiting.stuck(session, [row.id], device=first.device)
    return Waiting(reason=stuck.get(row.id, in_line), place=place)


def _run_view(run: RunRow, attempts: Sequence[AttemptRow], steps: int | None) -> Run:
    """`steps` is None where the spec is not read: then how far it is in them is not known."""
    progress = None
    if run.state == State.RUNNING and run.phase is not None and steps is not None:
        progress = Progress(
            phase=run.phase, fraction=run.fraction, step=run.step, steps=steps, loss=run.loss
        )
    return Run(
        seed=run.seed,
        chain_seed=run.chain_seed,
        state=State(run.state),
        progress=progress,
        error=run.error,
        attempts=[_attempt_view(attempt) for attempt in attempts],
    )


def _attempt_view(row: AttemptRow) -> Attempt:
    return Attempt(
        number=row.number,
        worker=row.worker,
        host=row.host,
        device=row.device,
        versions=row.versions,
        protocol=row.protocol,
        training_protocol=row.training_protocol,
        started_at=row.started_at,
        ended_at=row.ended_at,
        outcome=row.outcome,
        fleet=row.fleet,
        trained=row.trained,
        calibration=row.calibration,
        error=row.error,
        traceback=row.traceback,
    )

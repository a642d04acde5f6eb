"""Stored rows as the wire shows them: experiments, runs, attempts, lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any

from pydantic import Field, TypeAdapter
from sqlalchemy import Row
from sqlalchemy.orm import Session

from rgcontract import (
    Attempt,
    Experiment,
    ExperimentSummary,
    Family,
    Progress,
    Run,
    RunCounts,
    State,
    StoredSpec,
    Waiting,
)
from rgcontract.unknown import as_told
from rgcontract.updates import ExperimentUpdate
from rgservice.experiments.steering import Found
from rgservice.http.answers import Answered
from rgservice.http.etags import tag_of
from rgservice.http.other_releases import Reading, none_are_stored
from rgstore import experiments, waiting, wishes
from rgstore.line import place_in_line
from rgstore.runs import attempts_of, count_runs, runs_of
from rgstore.stored_specs import loaded_spec
from rgstore.tables import AttemptRow, ExperimentRow, RunRow
from rgstore.transitions import combined
from rgstore.words import NO_WORDS, Words, words_of


def experiment_view(session: Session, found: Found, reader: str) -> Experiment:
    """An experiment with the runs of the seeds that are asked about, and their attempts."""
    row = found.row
    runs = runs_of(session, row.id, found.seeds)
    attempts: dict[int, list[AttemptRow]] = {}
    for attempt in attempts_of(session, [run.id for run in runs]):
        attempts.setdefault(attempt.run_id, []).append(attempt)
    reading = Reading(f"experiment {row.id}")
    spec = _spec(reading, found)
    progress = reading.part("progress", lambda: _progress(runs), 0.0)
    told = [
        _run_view(reading, run, attempts.get(run.id, []), spec.training.steps if spec else None)
        for run in runs
    ]
    state = combined({run.state for run in runs})
    reading.known(state=state)
    words = changeable(session, row, reader, reading)
    return Experiment(
        id=row.id,
        spec_hash=row.spec_hash,
        training_hash=row.training_hash,
        chain_hash=row.chain_hash,
        protocol=row.protocol,
        spec=spec,
        unreadable=reading.unreadable,
        state=state,
        progress=progress,
        waiting=_waiting(session, runs),
        run_counts=counts(runs),
        runs=told,
        **words,
        owner=row.owner,
        owners=found.owners(session),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def tagged(session: Session, found: Found, reader: str) -> Answered:
    """An experiment with the tag of what can be changed of it."""
    view = experiment_view(session, found, reader)
    return Answered.tagged(view, tag_of(view, ExperimentUpdate))


def changeable(
    session: Session, row: ExperimentRow, reader: str, reading: Reading | None = None
) -> dict[str, Any]:
    """What `PATCH` can change of an experiment, as a reader sees it."""
    reading = reading or Reading(f"experiment {row.id}")
    own = words_of(session, [row.id], reader)
    highest = wishes.priority_of(session, row.id)
    return {
        **_words(reading, row, own),
        "note": own.get(row.id, NO_WORDS).note or row.note,
        "priority": row.priority if highest is None else highest,
    }


def _spec(reading: Reading, found: Found) -> StoredSpec | None:
    """The spec; None where this server cannot read it: all else can still be seen and steered."""
    if not found.seeds:
        return reading.part("runs", none_are_stored, None)
    return reading.part("", lambda: loaded_spec(found.row.spec, found.seeds), None)


def _progress(runs: Sequence[RunRow]) -> float:
    """From 0 to 1, of these runs together."""
    together = sum(run.fraction for run in runs) / len(runs) if runs else 0.0
    return _FRACTION.validate_python(together)


_FRACTION: TypeAdapter[float] = TypeAdapter(Annotated[float, Field(ge=0, le=1)])


def _words(
    reading: Reading, row: ExperimentRow | Row[*tuple[Any, ...]], own: Mapping[str, Words]
) -> dict[str, Any]:
    """Label and tags as its reader gave them, or else as who asked first did."""
    words = own.get(row.id, NO_WORDS)
    tags = words.tags or reading.part("tags", lambda: _TAGS.validate_python(row.tags), [])
    return {"label": words.label or row.label, "tags": tags}


_TAGS: TypeAdapter[list[str]] = TypeAdapter(list[str])


def summary_views(
    session: Session, rows: Sequence[Row[*tuple[Any, ...]]], reader: str
) -> list[ExperimentSummary]:
    """Experiments as a list shows them, with all their runs."""
    names = [row.id for row in rows]
    runs, words = count_runs(session, names), words_of(session, names, reader)
    stuck = waiting.stuck(session, [row.id for row in rows if row.state == State.QUEUED])
    return [
        _summary_view(row, words, runs.get(row.id, {}).values(), stuck.get(row.id)) for row in rows
    ]


def _summary_view(
    row: Row[*tuple[Any, ...]],
    words: Mapping[str, Words],
    runs: Iterable[RunCounts],
    stuck: str | None,
) -> ExperimentSummary:
    reading = Reading(f"experiment {row.id}")
    told = {name: getattr(row, name) for name in experiments.COLUMNS}
    told |= _words(reading, row, words) | {"state": as_told(State, row.state)}
    counted = sum(runs, RunCounts())
    if not counted.total:
        reading.part("runs", none_are_stored, None)
    reading.known(state=told["state"], family=as_told(Family, row.family))
    return ExperimentSummary(**told, unreadable=reading.unreadable, run_counts=counted, stuck=stuck)


def counts(runs: Sequence[RunRow]) -> RunCounts:
    """Runs by state."""
    return RunCounts.of(Counter(run.state for run in runs))


def _waiting(session: Session, runs: Sequence[RunRow]) -> Waiting | None:
    if combined({run.state for run in runs}) != State.QUEUED:
        return None
    queued = [run for run in runs if run.state == State.QUEUED]
    first, place = place_in_line(session, queued)
    ahead = "1 run goes first" if place == 1 else f"{place} runs go first"
    in_line = ahead if place else "next in line"
    stuck = waiting.stuck(session, [first.experiment_id], device=first.device)
    return Waiting(reason=stuck.get(first.experiment_id, in_line), place=place)


def _run_view(
    reading: Reading, run: RunRow, attempts: Sequence[AttemptRow], steps: int | None
) -> Run:
    """`steps` is None where the spec is not read: then how far it is in them is not known."""
    at = f"run of seed {run.seed} on chain {run.chain_seed}"
    progress = reading.part(f"{at}, progress", lambda: _progress_view(run, steps), None)
    told = [
        reading.part(f"{at}, attempt {attempt.number}", partial(_attempt_view, attempt), None)
        for attempt in attempts
    ]
    return Run(
        seed=run.seed,
        chain_seed=run.chain_seed,
        state=as_told(State, run.state),
        progress=progress,
        error=run.error,
        attempts=[attempt for attempt in told if attempt is not None],
    )


def _progress_view(run: RunRow, steps: int | None) -> Progress | None:
    if run.state != State.RUNNING or run.phase is None or steps is None:
        return None
    return Progress(
        phase=run.phase, fraction=run.fraction, step=run.step, steps=steps, loss=run.loss
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

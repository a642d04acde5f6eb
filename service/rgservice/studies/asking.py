"""A study that is asked for: its grid, what it would cost, and storing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy.orm import Session

from rgcontract import (
    FieldProblem,
    Forecast,
    Study,
    StudyRequest,
    Submission,
    field_problems,
    strictjson,
)
from rgcontract.section import clipped
from rgservice.experiments import cost, forecasting, steering
from rgservice.experiments.completing import completed
from rgservice.experiments.submitting import asked_of
from rgservice.http.errors import InvalidSpec, NotFound, NotRetryable, OverLimit
from rgservice.http.seeds import chosen
from rgservice.studies.views import FoundStudy, study_view
from rgstore import studies, submissions, wishes
from rgstore.asked import Asked, under_kept_names
from rgstore.records import RunKey
from rgstore.runs import missing_runs
from rgstore.settings import Settings

MOST_SHOWN = 20
"""Refused fields that an answer names."""


@dataclass(frozen=True)
class Grid:
    """A request whose every cell is a valid submission."""

    request: StudyRequest
    asked: dict[str, Asked]
    """Experiment -> its submission under its name, in the order of the grid."""
    cells: dict[str, dict[str, Any]]
    """Experiment -> its values on the axes, as its spec has them."""

    @property
    def submissions(self) -> dict[str, Submission]:
        """Experiment -> its submission, in the order of the grid."""
        return {name: one.submission for name, one in self.asked.items()}

    @property
    def id(self) -> str:
        """The name of the study."""
        hashes = (one.spec_hash for one in self.asked.values())
        return studies.study_id(hashes, self.request.axes())

    def under_kept_names(self, session: Session) -> Grid:
        """The same, those that were stored under a name of before under that."""
        kept = under_kept_names(session, list(self.asked.values()))
        return Grid(
            self.request,
            {one.name: one for one in kept},
            dict(zip((one.name for one in kept), self.cells.values(), strict=True)),
        )


def grid_of(request: StudyRequest, settings: Settings) -> Grid:
    """Every cell of a request as a submission. Cells that are the same experiment are one.

    Raises:
        OverLimit: more experiments, or runs, than this server allows.
        InvalidSpec: cells that are no specs.
    """
    most, size = settings.max_study_experiments, request.size
    if size > most:
        too_many = FieldProblem(
            field="experiments",
            message=f"the grid has {size}: {_shape(request)}; give shorter lists",
            allowed=f"at most {most} (RGLAB_MAX_STUDY_EXPERIMENTS)",
        )
        raise OverLimit.of([too_many], experiments=size)
    found: dict[str, Asked] = {}
    cells: dict[str, dict[str, Any]] = {}
    refused: dict[tuple[str, str], FieldProblem] = {}
    for cell, body in request.cells():
        try:
            submission = completed(Submission.model_validate_json(strictjson.dumps(body)))
        except (ValidationError, InvalidSpec) as error:
            for problem in _problems(error):
                refused.setdefault((problem.field, problem.message), _at(problem, cell))
            if len(refused) >= MOST_SHOWN:
                break
            continue
        one = asked_of(submission)
        found.setdefault(one.name, one)
        cells.setdefault(one.name, _on_axes(submission, cell))
        if request.target_error is not None and len(submission.chain.draws) > 1:
            problem = FieldProblem(
                field="target_error",
                message="more training seeds do not lessen an error bar over several chains",
                allowed="null where chain.seeds has several",
            )
            refused[problem.field, problem.message] = problem
    if refused:
        raise InvalidSpec.of(list(refused.values())[:MOST_SHOWN])
    n_runs = sum(len(one.submission.runs) for one in found.values())
    if n_runs > settings.max_bulk_runs:
        runs = FieldProblem(
            field="runs",
            message=f"{n_runs} are asked for; give shorter lists, or fewer seeds",
            allowed=f"at most {settings.max_bulk_runs} (RGLAB_MAX_BULK_RUNS)",
        )
        raise OverLimit.of([runs])
    return Grid(request, found, cells)


def _problems(error: ValidationError | InvalidSpec) -> list[FieldProblem]:
    return error.errors if isinstance(error, InvalidSpec) else field_problems(error, Submission)


def _shape(request: StudyRequest) -> str:
    """`3 values of model.depth x 200 of chain.seed`."""
    return " x ".join(f"{len(values)} of {path}" for path, values in request.axes().items())


def _at(problem: FieldProblem, cell: Mapping[str, Any]) -> FieldProblem:
    """A problem with the cell in which it was found first."""
    if not cell:
        return problem
    where = ", ".join(
        f"{path} = {clipped(strictjson.dumps(value))}" for path, value in cell.items()
    )
    return problem.model_copy(update={"message": f"{problem.message} (where {where})"})


def _on_axes(submission: Submission, axes: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a spec at these dotted paths: the same value is written the same way."""
    written = submission.model_dump(mode="json")
    parted = {path: path.partition(".") for path in axes}
    return {path: written[section][name] for path, (section, _, name) in parted.items()}


def forecast(session: Session, grid: Grid) -> Forecast:
    """What a study would cost, all its experiments together. Nothing is stored."""
    return forecasting.forecast(session, grid.under_kept_names(session).submissions)


def accept(session: Session, grid: Grid, *, owner: str, settings: Settings) -> Study:
    """Check the limits and store a study with its experiments. The caller commits.

    Raises:
        OverLimit: it would cost more than this server allows; nothing is stored.
    """
    grid = grid.under_kept_names(session)
    refused = _over_limits(grid, missing_runs(session, grid.submissions), settings)
    if refused:
        raise OverLimit.of(refused, estimate=forecast(session, grid).model_dump())
    name = grid.id
    stored = submissions.submit_all(
        session,
        list(grid.asked.values()),
        owner=owner,
        attempt_limit=settings.max_attempts,
        study_id=name,
    )
    added = sum(one.added_runs for one in stored)
    created = studies.keep(session, name, grid.request, grid.cells, owner=owner, added_runs=added)
    found = FoundStudy(studies.get_one(session, name), list(grid.request.seeds))
    return study_view(session, found, created=created, added_runs=added)


def _over_limits(
    grid: Grid, missing: Mapping[str, list[RunKey]], settings: Settings
) -> list[FieldProblem]:
    """Which limits the missing runs would exceed together, at the most seeds that may be added."""
    request = grid.request
    later = 0 if request.target_error is None else max(0, request.max_seeds - len(request.seeds))
    flops = stored_bytes = 0.0
    refused: dict[str, FieldProblem] = {}
    for name, submission in grid.submissions.items():
        n_runs = len(missing[name]) + later
        if not n_runs:
            continue
        one = cost.cost_of_run(submission)
        flops += n_runs * one.flops
        stored_bytes += n_runs * one.stored_bytes
        for problem in cost.over_limits(one, 1, settings):
            refused.setdefault(problem.field, _at(problem, grid.cells[name]))
    totals = [
        ("flops", flops, settings.max_flops, "operations", "training.steps"),
        ("stored_bytes", stored_bytes, settings.max_stored_bytes, "stored bytes", "model.width"),
    ]
    for name, estimate, limit, unit, remedy in totals:
        if estimate > limit:
            refused[name] = FieldProblem(
                field=name,
                message=f"estimated at {estimate:.3g} {unit} for {len(grid.submissions)} "
                f"experiments; give shorter lists, fewer seeds or less {remedy}",
                allowed=f"at most {limit:.3g} (RGLAB_MAX_{name.upper()})",
            )
    return list(refused.values())


def find(session: Session, name: str, seeds: Sequence[str] | None = None) -> FoundStudy:
    """A study by its name.

    Args:
        session: the transaction.
        name: of the study.
        seeds: as the query has them: of those that the study was asked for with.

    Raises:
        NotFound: there is none. InvalidQuery: seeds that are none, or not there.
    """
    row = studies.get(session, name) if "\x00" not in name else None
    if row is None:
        raise NotFound(f"no study {name[:80]!r}; GET /v1/studies lists them")
    return FoundStudy(row, row.seeds if seeds is None else chosen(seeds, row.seeds))


def cancel(session: Session, found: FoundStudy, owner: str) -> Study:
    """Withdraw what one person asked for by a study; a run that nobody else wants stops.

    What they, or others, asked for otherwise goes on, also where it is the same run.

    Raises:
        NotAsked: it is not theirs. NotCancellable: all its runs have ended.
    """
    before = study_view(session, found)
    names = [member.id for member in before.experiments]
    seeds = {seed for member in before.experiments for seed in member.seeds}
    done = wishes.withdraw(session, names, owner, seeds=seeds, study=found.row.id)
    steering.check(done, studies.owners_of(session, found.row.id))
    return study_view(session, found)


def retry(session: Session, found: FoundStudy, owner: str, *, attempt_limit: int) -> Study:
    """Queue its failed and cancelled runs again.

    Raises:
        NotRetryable: no run has failed or been cancelled.
    """
    again = wishes.want_again(
        session,
        [found.part.runs],
        owner,
        attempt_limit=attempt_limit,
        study=found.row.id,
    )
    study = study_view(session, found)
    if not again:
        raise NotRetryable(f"the study is {study.state}", state=study.state)
    return study

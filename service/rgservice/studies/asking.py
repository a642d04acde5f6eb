"""A study that is asked for: its grid, its limits, its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy.orm import Session

from rgcontract import FieldProblem, StudyRequest, Submission, field_problems, strictjson
from rgcontract.audit import Action
from rgcontract.section import clipped
from rgservice.experiments import cost
from rgservice.experiments.pricing import Named, Priced, named
from rgservice.experiments.submitting import Stored
from rgservice.http.answers import Answered
from rgservice.http.errors import InvalidSpec, OverLimit
from rgservice.studies.found import FoundStudy
from rgservice.studies.views import study_view
from rgstore import audit, studies
from rgstore.settings import Settings

MOST_SHOWN = 20
"""Refused fields that an answer names."""


@dataclass(frozen=True)
class Grid:
    """A request whose every cell is a valid submission."""

    request: StudyRequest
    items: Sequence[Named]
    """Of each experiment, in the order of the grid."""
    cells: Sequence[dict[str, Any]]
    """Of each experiment, its values on the axes, as its spec has them."""

    def cells_of(self, found: Priced) -> dict[str, dict[str, Any]]:
        """Experiment -> its values on the axes."""
        return dict(zip((one.name for one in found.asked), self.cells, strict=True))

    def over_limits(self, found: Priced, settings: Settings) -> list[FieldProblem]:
        """Which limits the missing runs would exceed, each by itself and all together."""
        refused: dict[str, FieldProblem] = {}
        cells = self.cells_of(found)
        for name, price in found.prices.items():
            if price.missing or _later(self.request):
                for problem in cost.over_limits(price.cost, 1, settings):
                    refused.setdefault(problem.field, _at(problem, cells[name]))
        refused |= {one.field: one for one in _totals(self.request, found, settings)}
        return list(refused.values())

    def body_hash(self, found: Priced) -> str:  # noqa: ARG002 - it is known by its content
        """None: a study has no idempotency key."""
        return ""

    def study(self, found: Priced) -> str:
        """The name of the study."""
        return studies.study_id((one.spec_hash for one in found.asked), self.request.axes())

    def answer(self, session: Session, stored: Stored) -> Answered:
        """The study, which is kept, or brought up to date, now that its experiments are there."""
        name, added = self.study(stored.priced), sum(one.added_runs for one in stored.told)
        created = studies.keep(
            session,
            name,
            self.request,
            self.cells_of(stored.priced),
            owner=stored.caller.user,
            added_runs=added,
        )
        terms = {"name", "target_error", "max_seeds", "priority", "seeds"}
        asked = self.request.model_dump(mode="json", include=terms)
        audit.record(session, stored.caller, Action.STUDY_SUBMIT, name, None, asked)
        found = FoundStudy(
            studies.get_one(session, name),
            list(self.request.seeds),
            named=True,
            reader=stored.caller.user,
        )
        view = study_view(session, found, stored.caller.user, created=created, added_runs=added)
        return Answered.made(view, new=created, location=f"/v1/studies/{name}")


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
    grid = _filled(request)
    n_runs = sum(len(item.asked.submission.runs) for item in grid.items)
    cost.check_runs(n_runs, settings, "give shorter lists, or fewer seeds")
    return grid


def _filled(request: StudyRequest) -> Grid:
    found: dict[str, Named] = {}
    cells: dict[str, dict[str, Any]] = {}
    refused: dict[tuple[str, str], FieldProblem] = {}
    for cell, body in request.cells():
        try:
            item = named(Submission.model_validate_json(strictjson.dumps(body)))
        except (ValidationError, InvalidSpec) as error:
            for problem in _problems(error):
                refused.setdefault((problem.field, problem.message), _at(problem, cell))
            if len(refused) >= MOST_SHOWN:
                break
            continue
        submission = item.asked.submission
        found.setdefault(item.asked.name, item)
        cells.setdefault(item.asked.name, _on_axes(submission, cell))
        if request.target_error is not None and len(submission.chain.draws) > 1:
            problem = FieldProblem(
                field="target_error",
                message="more training seeds do not lessen an error bar over several chains",
                allowed="null where chain.seeds has several",
            )
            refused[problem.field, problem.message] = problem
    if refused:
        raise InvalidSpec.of(list(refused.values())[:MOST_SHOWN])
    return Grid(request, list(found.values()), list(cells.values()))


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


def _totals(request: StudyRequest, found: Priced, settings: Settings) -> list[FieldProblem]:
    """The limits that all its runs would exceed together, at the most seeds that may be added."""
    later = _later(request)
    of_all = f"for {len(found.prices)} experiments; give shorter lists, fewer seeds or less"
    return cost.exceeded(
        "RGLAB_MAX_",
        ("flops", found.total("flops", later=later), settings.max_flops,
         f"operations {of_all} training.steps"),
        ("stored_bytes", found.total("stored_bytes", later=later), settings.max_stored_bytes,
         f"stored bytes {of_all} model.width"),
    )  # fmt: skip


def _later(request: StudyRequest) -> int:
    """Seeds that each experiment may get besides."""
    return 0 if request.target_error is None else max(0, request.max_seeds - len(request.seeds))

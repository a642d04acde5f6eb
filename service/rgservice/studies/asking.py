"""A study that is asked for: its grid, its limits, its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from rgcontract import FieldProblem, StudyRequest, Submission, strictjson
from rgcontract.audit import Action
from rgcontract.section import clipped
from rgcontract.study import SECTIONS
from rgservice.experiments import cost
from rgservice.experiments.pricing import Named, Priced, named
from rgservice.experiments.submitting import Stored, hash_of
from rgservice.http.answers import Answered
from rgservice.http.apart import Deadline
from rgservice.http.errors import InvalidSpec, OverLimit
from rgservice.studies.cells import Cells
from rgservice.studies.found import FoundStudy
from rgservice.studies.views import study_view
from rgstore import audit, studies
from rgstore.settings import Settings


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
                over = cost.over_limits(price.cost, 1, settings, seconds=price.seconds_alone)
                for problem in over:
                    refused.setdefault(problem.field, _at(problem, cells[name]))
        refused |= {one.field: one for one in _totals(self.request, found, settings)}
        return list(refused.values())

    def body_hash(self, found: Priced) -> str:
        """Of the name, which stands for the grid, and what it leaves out."""
        left_out = self.request.model_dump(mode="json", exclude={*SECTIONS, "form", "preset"})
        return hash_of([self.study(found), left_out])

    def study(self, found: Priced) -> str:
        """The name of the study."""
        return studies.study_id((one.spec_hash for one in found.asked), self.request.axes())

    def answer(self, session: Session, stored: Stored) -> Answered:
        """The study, which is kept, or brought up to date, now that its experiments are there.

        What comes again under its key steers nothing anew.
        """
        name, told_at = self.study(stored.priced), stored.told[0].told_at
        caller = stored.caller
        if told_at is None:
            added = sum(one.added_runs for one in stored.told)
            created = studies.keep(
                session,
                name,
                self.request,
                self.cells_of(stored.priced),
                owner=caller.user,
                added_runs=added,
            )
            terms = {"name", "target_error", "max_seeds", "priority", "seeds"}
            asked = self.request.model_dump(mode="json", include=terms)
            audit.record(session, caller, Action.STUDY_SUBMIT, name, None, asked)
        else:  # a transaction writes one time
            added = _added_then(stored)
            created = studies.get_one(session, name).created_at == told_at
        found = FoundStudy(
            studies.get_one(session, name),
            list(self.request.seeds),
            named=True,
            reader=caller.user,
        )
        view = study_view(session, found, caller.user, created=created, added_runs=added)
        return Answered.made(view, new=created, location=f"/v1/studies/{name}")


def _added_then(stored: Stored) -> int:
    """Runs that a request added when it came first: a seed is added on all chains."""
    draws = {one.name: len(one.submission.chain.draws) for one in stored.priced.asked}
    return sum(len(one.added_seeds) * draws[one.experiment_id] for one in stored.told)


def grid_of(request: StudyRequest, settings: Settings) -> Grid:
    """Every cell of a request as a submission. Cells that are the same experiment are one.

    Raises:
        OverLimit: more experiments, or runs, than this server allows, or than it checks in time.
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
    grid = _filled(request, Deadline(settings.max_reading_seconds))
    later = _later(request) * len(grid.items)
    n_runs = sum(item.asked.submission.n_runs for item in grid.items) + later
    cost.check_runs(n_runs, settings, "give shorter lists, fewer seeds or less max_seeds")
    return grid


def _filled(request: StudyRequest, deadline: Deadline) -> Grid:
    found: dict[str, Named] = {}
    cells: dict[str, dict[str, Any]] = {}
    refused: dict[tuple[str, str], FieldProblem] = {}
    read = Cells()
    for cell, body in request.cells():
        deadline.check()
        try:
            item = named(read.submission(cell, body))
        except InvalidSpec as error:
            for problem in error.errors:
                if (problem.field, problem.message) not in refused:
                    refused[problem.field, problem.message] = _at(problem, cell)
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
        raise InvalidSpec.of(list(refused.values()))
    return Grid(request, list(found.values()), list(cells.values()))


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
        cost.Limit("flops", found.total("flops", later=later), settings.max_flops, "MAX_FLOPS",
                   f"operations {of_all} training.steps"),
        cost.Limit("stored_bytes", found.stored_bytes(later=later),
                   settings.max_stored_bytes, "MAX_STORED_BYTES",
                   f"stored bytes {of_all} model.width"),
    )  # fmt: skip


def _later(request: StudyRequest) -> int:
    """Seeds that each experiment may get besides."""
    return 0 if request.target_error is None else max(0, request.max_seeds - len(request.seeds))

"""A handle on a study of the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rgclient._errors import (
    ExperimentCancelled,
    ExperimentFailed,
    FailedRun,
    NotReady,
)
from rgclient._experiment import Experiment
from rgclient._glance import Glance, runs_text
from rgclient._handle import Handle
from rgclient._numbers import count
from rgclient._progress import ProgressBar
from rgclient._seeds import told
from rgcontract import State
from rgcontract import Study as View

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Self

    from rgclient._api import Api
    from rgclient._findings import Findings
    from rgclient._result import Result
    from rgclient._seeds import Seeds
    from rgcontract import StudyMember, StudySummary

SHOWN_CAUSES = 3
"""Failed experiments that are asked for their causes."""


class Study(Handle[View, "_Seen"]):
    """A grid of experiments of the server; made by `study`, `get_study` and `studies`.

    It is about the training seeds that were asked for, whatever others ask for of the same
    experiments. What it says is what the server last said: `refresh` asks again.
    """

    _kind = "study"
    _getter = "get_study"

    def __init__(self, api: Api, last: View | StudySummary, *, seeds: Seeds = None) -> None:
        super().__init__(api, seeds=seeds, view=last if isinstance(last, View) else None)
        self._last = last

    @property
    def id(self) -> str:
        """Its name; the same grid always has the same one."""
        return self._last.id

    @property
    def name(self) -> str | None:
        """A name for people."""
        return self._last.name

    @property
    def state(self) -> State:
        """As last heard: of all its runs together."""
        return self._last.state

    @property
    def progress(self) -> float:
        """How far it is as last heard, 0 to 1, of all its runs together."""
        return self._known().progress

    @property
    def created(self) -> bool:
        """Whether the request that gave this handle was the first of its grid."""
        return self._known().created

    @property
    def owners(self) -> list[str]:
        """Whose it is: who wants any of it, or who has asked for it where nobody does any more."""
        return self._known().owners

    @property
    def created_at(self) -> datetime:
        """When it was first asked for."""
        return self._last.created_at

    @property
    def axes(self) -> dict[str, list[Any]]:
        """The fields that were given as lists, and their values."""
        return self._known().axes

    @property
    def experiments(self) -> list[Experiment]:
        """Its experiments, in the order of the grid."""
        return [self._experiment(member) for member in self._known().experiments]

    def wait(
        self, timeout: float | None = None, *, progress: bool = True, poll: float | None = None
    ) -> Findings:
        """Wait until it is measured and judged, and return the findings.

        Args:
            timeout: seconds to wait at most; None for as long as it takes.
            progress: show a bar (in a terminal or a notebook; never in a log file).
            poll: seconds between two questions to the server.

        Raises:
            ExperimentFailed: runs failed; `causes` says why, of the first experiments.
            ExperimentCancelled: runs were cancelled.
            WaitTimeout: not done in time. The study goes on.
        """
        last = self._awaited(self._look, _Bar, timeout=timeout, progress=progress, poll=poll)
        if last.state is State.FAILED:
            raise self._failed(last.view)
        if last.findings is None:
            raise self._cancelled(last.view)
        return last.findings

    def results(self, *, partial: bool = False) -> list[tuple[dict[str, Any], Result]]:
        """(values on the axes, measurement) of every experiment, in the order of the grid.

        Args:
            partial: also before all seeds are measured, over those that are.

        Raises:
            NotReady: an experiment is not measured yet.
        """
        members = self.refresh()._known().experiments
        return [
            (
                member.cell,
                self._api.result(member.id, seeds=told(member.seeds), partial=partial),
            )
            for member in members
        ]

    def findings(self) -> Findings:
        """The verdict on each claim, over what is measured so far.

        Raises:
            NotReady: nothing is measured yet.
        """
        return self._api.findings(self.id, seeds=self._seeds)

    def update(self, **changes: Any) -> Self:
        """Change what you call it and how urgent it is to you: `study.update(priority=5)`.

        A target is changed by asking again.

        Args:
            **changes: `name` (None for none) and `priority`; the other stays.

        Raises:
            UnknownField, InvalidValue: before anything is sent.
            Forbidden: only others have asked for it.
        """
        self._api.update_study(self.id, **changes)
        return self.refresh()

    def cancel(self, *, everybody: bool = False) -> Self:
        """Withdraw what you asked for by it: a run stops when nobody wants it any more.

        What others asked for too, or you by another study or submission, goes on.

        Args:
            everybody: as an admin, also what others asked for.

        Raises:
            Conflict: everything has ended already.
            Forbidden: only others have asked for it.
        """
        return self._said(self._api.cancel_study(self.id, seeds=self._seeds, everybody=everybody))

    def retry(self) -> Self:
        """Queue failed and cancelled runs again.

        Raises:
            Conflict: no run has failed or been cancelled.
        """
        return self._said(self._api.retry_study(self.id, seeds=self._seeds))

    def __repr__(self) -> str:
        """State and key numbers, as last heard."""
        facts = ", ".join(f"{name} {text}" for name, text in self._facts())
        return f"<Study {self.id}: {facts}>"

    def _facts(self) -> list[tuple[str, str]]:
        found = [("name", repr(self.name) if self.name else ""), ("state", self.state.value)]
        if self._view is not None:
            axes = " x ".join(f"{len(values)} {path}" for path, values in self._view.axes.items())
            n = count(len(self._view.experiments), "experiment")
            found.append(("grid", f"{n} ({axes})" if axes else n))
        found.append(("runs", runs_text(self._last.run_counts)))
        return [(name, text) for name, text in found if text]

    def _experiment(self, member: StudyMember) -> Experiment:
        cell = ", ".join(
            f"{path.rpartition('.')[2]} {value}" for path, value in member.cell.items()
        )
        glance = Glance(
            member.id,
            member.spec_hash,
            member.state,
            member.run_counts,
            physics=cell,
            progress=member.progress,
        )
        return Experiment(self._api, glance, seeds=told(member.seeds))

    def _ask(self) -> View:
        return self._api.study_view(self.id, seeds=self._seeds)

    def _doing(self, seen: _Seen) -> str:
        return seen.doing

    def _heard(self, view: View) -> None:
        self._view = self._last = view

    def _look(self) -> _Seen:
        """How far it is; once all is measured, with its findings."""
        view = self.refresh()._known()
        if view.state is not State.DONE:
            return _Seen(view, None)
        try:
            return _Seen(view, self.findings())
        except NotReady:
            return _Seen(view, None)

    def _failed(self, view: View) -> ExperimentFailed:
        failed = [member for member in view.experiments if member.run_counts.failed]
        causes = [
            (member, FailedRun(run.seed, run.error or "no cause recorded", len(run.attempts)))
            for member in failed[:SHOWN_CAUSES]
            for run in self._api.view(member.id, seeds=told(member.seeds)).runs
            if run.state is State.FAILED
        ]
        lines = [f"  {member.id}, seed {cause.seed}: {cause.error}" for member, cause in causes]
        if len(failed) > SHOWN_CAUSES:
            lines.append(f"  and {len(failed) - SHOWN_CAUSES} more experiments")
        advice = ".retry() queues the failed runs again"
        if view.run_counts.done:
            advice += ", .findings() judges what is measured"
        head = f"study {self.id} failed ({runs_text(view.run_counts)})"
        return ExperimentFailed(
            "\n".join([head, *lines, advice]),
            experiment_id=failed[0].id,
            causes=[cause for _, cause in causes],
        )

    def _cancelled(self, view: View) -> ExperimentCancelled:
        stopped = [member.id for member in view.experiments if member.run_counts.cancelled]
        return ExperimentCancelled(
            f"study {self.id} was cancelled ({runs_text(view.run_counts)}); "
            ".retry() queues it again",
            experiment_id=stopped[0],
        )


@dataclass(frozen=True)
class _Seen:
    """A study, and its findings once all is measured."""

    view: View
    findings: Findings | None

    @property
    def state(self) -> State:
        """That of the study; but it is not done before it is judged, over all of its runs."""
        judged = self.findings is not None and self.findings.complete
        return State.RUNNING if self.view.state is State.DONE and not judged else self.view.state

    @property
    def doing(self) -> str:
        """What is going on, in a line."""
        if self.view.state is State.DONE:
            return "all runs are measured; a worker writes the findings"
        return runs_text(self.view.run_counts)


@dataclass(frozen=True)
class _Bar:
    """The progress bar of a study."""

    bar: ProgressBar

    def show(self, view: _Seen) -> None:
        """Move to where it is."""
        self.bar.move(view.view.progress, view.doing)

    def note(self, text: str) -> None:
        """Say something else."""
        self.bar.note(text)

"""A study that is found by its name, to be read or steered."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from rgcontract import State
from rgcontract.audit import Action
from rgservice.experiments.steering import Shared
from rgstore import studies, study_runs
from rgstore.study_runs import NO_RUNS, Part, RunSums
from rgstore.tables import StudyRow, SubmissionRow
from rgstore.transitions import combined


class FoundStudy(Shared[StudyRow]):
    """A study and the seeds of it that a request is about.

    Those that were named, else all that anybody asked for; `target_error` may have added others to
    some experiments, which belong to whoever gave it, and to readers who never asked.
    """

    kind, listed = "study", "/v1/studies"
    cancelled, retried = Action.STUDY_CANCEL, Action.STUDY_RETRY

    @property
    def part(self) -> Part:
        """What of the study that is."""
        named = frozenset(self.row.seeds)
        return Part(self.row.id, named - set(self.seeds), self.reader, named)

    @property
    def study(self) -> str:
        """Itself: wishes for the same experiments that are no part of it are left alone."""
        return self.row.id

    @staticmethod
    def stored(session: Session, name: str) -> StudyRow | None:
        """The row of this name."""
        return studies.get(session, name)

    @staticmethod
    def all_seeds(session: Session, row: StudyRow) -> list[int]:  # noqa: ARG004
        """Those that it was asked for with."""
        return row.seeds

    @property
    def requests(self) -> ColumnElement[bool]:
        """Those that are part of it."""
        return SubmissionRow.study_id == self.row.id

    def wished(self, session: Session) -> tuple[Collection[str], Collection[int]]:
        """Its experiments, and the training seeds of what it asks for there."""
        names = [member.experiment_id for member in studies.members(session, self.row.id)]
        return names, self._sums(session).seeds

    def runs(self) -> list[ColumnElement[bool]]:
        """Those that it asked for."""
        return [self.part.runs]

    def state(self, session: Session) -> State:
        """Of these runs."""
        return combined(self._sums(session).counts.states)

    def _sums(self, session: Session) -> RunSums:
        return sum(study_runs.runs_by_experiment(session, self.part).values(), NO_RUNS)

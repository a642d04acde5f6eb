"""Records that several may have asked for: finding one with its seeds, withdrawing, retrying.

Experiments and studies are found and steered alike; what they are told apart by is `Shared`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, Self, TypeVar

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from rgcontract import State
from rgcontract.audit import Action
from rgcontract.roles import Role
from rgservice.http.deps import require
from rgservice.http.errors import NotAsked, NotCancellable, NotFound, NotRetryable
from rgservice.http.quotas import Room
from rgservice.http.rights import may_act
from rgservice.http.seeds import chosen
from rgstore import audit, experiments, quotas, wishes
from rgstore.among import among
from rgstore.runs import runs_of, seeds_of
from rgstore.settings import Settings
from rgstore.tables import ExperimentRow, RunRow, StudyRow, SubmissionRow
from rgstore.tokens import Caller
from rgstore.transitions import combined

Row = TypeVar("Row", ExperimentRow, StudyRow)


@dataclass(frozen=True)
class Shared(ABC, Generic[Row]):
    """A record and the seeds of it that a request is about."""

    row: Row
    seeds: list[int]
    """Those that were named, else all that it has."""
    named: bool
    reader: str | None = None
    """Who asks about it; a study is about the seeds that their own target added."""

    kind: ClassVar[str]
    """What it is called."""
    listed: ClassVar[str]
    """Where all of them are."""
    cancelled: ClassVar[Action]
    retried: ClassVar[Action]
    """What the audit log calls what is done to it."""

    @property
    def study(self) -> str | None:
        """The study that wishes for it are part of; None where they are part of any or none."""
        return None

    @staticmethod
    @abstractmethod
    def stored(session: Session, name: str) -> Row | None:
        """The row of this name."""

    @staticmethod
    @abstractmethod
    def all_seeds(session: Session, row: Row) -> list[int]:
        """Training seeds that can be named."""

    @property
    @abstractmethod
    def requests(self) -> ColumnElement[bool]:
        """Which requests ask for it."""

    def owners(self, session: Session) -> list[str]:
        """Whose it is: who wants any of it; where nobody does any more, who has asked for it."""
        return experiments.owners(session, self.requests)

    def spoken_for(self, session: Session, caller: Caller) -> str | None:
        """In whose name somebody acts on it: their own; an admin who never asked, in everybody's.

        Raises:
            NotAsked: they may not act on it.
        """
        may_act(session, caller, self)
        asked = experiments.has_asked(session, caller.user, self.requests)
        return caller.user if asked else None

    @abstractmethod
    def wished(self, session: Session) -> tuple[Collection[str], Collection[int] | None]:
        """Experiments and training seeds (None for all) that a wish for it is about."""

    @abstractmethod
    def runs(self) -> list[ColumnElement[bool]]:
        """Which runs it is about."""

    @abstractmethod
    def state(self, session: Session) -> State:
        """Of these runs."""

    @classmethod
    def find(
        cls,
        session: Session,
        name: str,
        seeds: Sequence[str] | None = None,
        *,
        reader: str | None = None,
    ) -> Self:
        """One by its name.

        Args:
            session: the transaction.
            name: as the path has it.
            seeds: as the query has them.
            reader: who asks.

        Raises:
            NotFound: there is none. InvalidQuery: seeds that are none, or not there.
        """
        row = cls.stored(session, name) if "\x00" not in name else None
        if row is None:
            raise NotFound(f"no {cls.kind} {name[:80]!r}; GET {cls.listed} lists them")
        there = cls.all_seeds(session, row)
        named = there if seeds is None else chosen(seeds, there)
        return cls(row, named, seeds is not None, reader)


class Found(Shared[ExperimentRow]):
    """An experiment and the seeds of it that a request is about."""

    kind, listed = "experiment", "/v1/experiments"
    cancelled, retried = Action.EXPERIMENT_CANCEL, Action.EXPERIMENT_RETRY

    @staticmethod
    def stored(session: Session, name: str) -> ExperimentRow | None:
        """The row of this name."""
        return experiments.get(session, name)

    @staticmethod
    def all_seeds(session: Session, row: ExperimentRow) -> list[int]:
        """Those that are there, whoever asked for them."""
        return seeds_of(session, row.id)

    @property
    def requests(self) -> ColumnElement[bool]:
        """Those for any of it."""
        return SubmissionRow.experiment_id == self.row.id

    def wished(self, session: Session) -> tuple[Collection[str], Collection[int] | None]:  # noqa: ARG002
        """Itself; its seeds if they were named, else all that one asked for."""
        return [self.row.id], self.seeds if self.named else None

    def runs(self) -> list[ColumnElement[bool]]:
        """Those of its seeds."""
        return [RunRow.experiment_id == self.row.id, among(RunRow.seed, self.seeds)]

    def state(self, session: Session) -> State:
        """Of its runs."""
        return combined({run.state for run in runs_of(session, self.row.id, self.seeds)})


def cancel(
    session: Session, found: Shared[Row], caller: Caller, *, everybody: bool = False
) -> None:
    """Withdraw what one person asked for; a run that nobody else wants stops.

    Queued runs stop at once, running ones at their next heartbeat. What they, or others, asked for
    otherwise goes on, also where it is the same run. An admin who has asked for none of it
    withdraws what everybody asked for.

    Args:
        session: the transaction.
        found: of what.
        caller: who withdraws.
        everybody: whether an admin withdraws what others asked for beside their own.

    Raises:
        NotAsked: it is not theirs. NotCancellable: all that was asked for has ended.
        Forbidden: only an admin acts for everybody.
    """
    names, seeds = found.wished(session)
    wanted_by = found.owners(session)
    if everybody:
        require(caller, Role.ADMIN)
    whose = None if everybody else caller.user
    done = wishes.withdraw(session, names, whose, seeds=seeds, study=found.study)
    if not done.asked and caller.role is Role.ADMIN:
        whose = None
        done = wishes.withdraw(session, names, whose, seeds=seeds, study=found.study)
    if not done.asked:
        raise NotAsked(
            "you have not asked for this, so nothing is cancelled; what was asked for can be "
            f"withdrawn by who did: {', '.join(wanted_by)}; and by an admin, for all of them"
        )
    if done.ended is not None:
        who = "you" if whose else "they"
        raise NotCancellable(f"what {who} asked for is {done.ended}", state=done.ended)
    session.refresh(found.row)
    _log(session, found, caller, found.cancelled, wanted_by, done.changes)


def retry(session: Session, found: Shared[Row], caller: Caller, settings: Settings) -> None:
    """Queue failed and cancelled runs again; who asks for that wants them from now on.

    Raises:
        NotAsked: it is not theirs. NotRetryable: no run has failed or been cancelled.
        OverQuota: they would use more of the lab than they may.
    """
    may_act(session, caller, found)
    room = Room.of(session, caller, settings)
    room.check(lambda: quotas.added_by_retrying(session, caller.user, found.runs()))
    wanted_by = found.owners(session)
    changes = wishes.want_again(
        session,
        found.runs(),
        caller.user,
        attempt_limit=settings.max_attempts,
        study=found.study,
    )
    if not changes:
        state = found.state(session)
        raise NotRetryable(f"the {found.kind} is {state}", state=state)
    session.refresh(found.row)
    _log(session, found, caller, found.retried, wanted_by, changes)


def _log(
    session: Session,
    found: Shared[Row],
    caller: Caller,
    action: Action,
    wanted_by: list[str],
    changes: Sequence[audit.Change],
) -> None:
    """Write down what was done: to each experiment, and to the study if it was done to one."""
    of_experiments = {Action.STUDY_CANCEL: Action.EXPERIMENT_CANCEL,
                      Action.STUDY_RETRY: Action.EXPERIMENT_RETRY}  # fmt: skip
    if action in of_experiments:
        after = {"owners": found.owners(session)}
        audit.record(session, caller, action, found.row.id, {"owners": wanted_by}, after)
    audit.record_all(session, caller, of_experiments.get(action, action), changes)

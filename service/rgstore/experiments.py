"""Reading and steering experiments that are stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import ColumnElement, Row, func, or_, select, tuple_, update
from sqlalchemy.orm import Session

from rgcontract import Family, Mixing, State
from rgcontract.spec import Depth, Tag, Width
from rgstore.among import among
from rgstore.tables import AttemptRow, ExperimentRow, RunRow
from rgstore.transitions import move, refresh_experiment

LISTED = (
    ExperimentRow.id, ExperimentRow.spec_hash, ExperimentRow.state, ExperimentRow.family,
    ExperimentRow.corr_len, ExperimentRow.mixing, ExperimentRow.depth, ExperimentRow.width,
    ExperimentRow.label, ExperimentRow.tags, ExperimentRow.owner, ExperimentRow.created_at,
    ExperimentRow.updated_at,
)  # fmt: skip
"""What a list shows: all but the spec, which is most of a row."""


Length = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""Tokens. A bound of a range, so it may lie beyond what a chain can have."""


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to; None means any. The API takes these as query parameters."""

    state: State | None = None
    family: Family | None = None
    mixing: Mixing | None = None
    corr_len_min: Length | None = None
    corr_len_max: Length | None = None
    depth: Depth | None = None
    width: Width | None = None
    tag: Tag | None = None
    owner: Annotated[str, Field(min_length=1, max_length=200)] | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The same as SQL."""
        row = ExperimentRow
        exact = {
            row.state: self.state,
            row.family: self.family,
            row.mixing: self.mixing,
            row.depth: self.depth,
            row.width: self.width,
            row.owner: self.owner,
        }
        found: list[ColumnElement[bool]] = [
            column == value for column, value in exact.items() if value is not None
        ]
        if self.corr_len_min is not None:
            found.append(row.corr_len >= self.corr_len_min)
        if self.corr_len_max is not None:
            found.append(row.corr_len <= self.corr_len_max)
        if self.tag is not None:
            found.append(row.tags.contains([self.tag]))
        return found


def get(session: Session, name: str) -> ExperimentRow | None:
    """An experiment by its name."""
    return session.get(ExperimentRow, name)


def states_of(session: Session, names: Iterable[str]) -> dict[str, State]:
    """Experiment -> its state as the database has it now."""
    rows = session.execute(
        select(ExperimentRow.id, ExperimentRow.state).where(among(ExperimentRow.id, names))
    )
    return {name: State(state) for name, state in rows}


def page(
    session: Session, filters: Filters, *, after: tuple[datetime, str] | None, limit: int
) -> Sequence[Row[*tuple[Any, ...]]]:
    """A page of experiments, newest first, from just after a (created_at, id) key."""
    conditions = filters.conditions()
    if after is not None:
        conditions.append(tuple_(ExperimentRow.created_at, ExperimentRow.id) < after)
    return session.execute(
        select(*LISTED)
        .where(*conditions)
        .order_by(ExperimentRow.created_at.desc(), ExperimentRow.id.desc())
        .limit(limit)
    ).all()


def runs_of(session: Session, names: Sequence[str]) -> Sequence[RunRow]:
    """Runs of these experiments, by chain and training seed."""
    return session.scalars(
        select(RunRow)
        .where(among(RunRow.experiment_id, names))
        .order_by(RunRow.chain_seed, RunRow.seed)
    ).all()


def attempts_of(session: Session, run_ids: Sequence[int]) -> Sequence[AttemptRow]:
    """Attempts at these runs, oldest first."""
    return session.scalars(
        select(AttemptRow).where(among(AttemptRow.run_id, run_ids)).order_by(AttemptRow.number)
    ).all()


def place_in_line(session: Session, run: RunRow) -> int:
    """Queued runs that go before this one."""
    earlier = or_(
        RunRow.priority > run.priority,
        (RunRow.priority == run.priority)
        & (tuple_(RunRow.queued_at, RunRow.id) < (run.queued_at, run.id)),
    )
    return session.scalar(select(func.count()).where(RunRow.state == State.QUEUED, earlier)) or 0


def request_cancel(session: Session, name: str) -> int:
    """Cancel what is queued and ask the workers to stop what runs. Returns how many runs."""
    stopped = move(session, State.QUEUED, State.CANCELLED, RunRow.experiment_id == name)
    asked = session.scalars(
        update(RunRow)
        .where(RunRow.experiment_id == name, RunRow.state == State.RUNNING)
        .values(cancel_requested=True)
        .returning(RunRow.id)
        .execution_options(synchronize_session=False)
    ).all()
    if stopped:
        refresh_experiment(session, name)
    return len(stopped) + len(asked)


def retry(session: Session, name: str, *, attempt_limit: int) -> list[int]:
    """Queue failed and cancelled runs again, with a fresh allowance. Returns their ids."""
    again = [
        run.id
        for source in (State.FAILED, State.CANCELLED)
        for run in move(
            session,
            source,
            State.QUEUED,
            RunRow.experiment_id == name,
            attempt_limit=RunRow.attempt + attempt_limit,
            error=None,
        )
    ]
    if again:
        refresh_experiment(session, name)
    return again


def count_all_runs(session: Session) -> dict[str, int]:
    """Runs of the whole lab by state."""
    rows = session.execute(select(RunRow.state, func.count()).group_by(RunRow.state))
    return dict(rows.all())

"""Who waits for trainers, and what they have had: what the order of turns goes by.

Queued runs that the same people want, for the same kind of device, are a *line* of their own. There
are few lines, however many runs wait, and an index leads from the first run of one to that of the
next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Row,
    and_,
    func,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.orm import Session

from rgcontract import DEVICES, State
from rgstore import clock
from rgstore.outbox import ANY
from rgstore.tables import AttemptRow, RunRow
from rgstore.turns import LEAST_SECONDS, Standing, order, turns_before
from rgstore.workers import live_workers

WINDOW = timedelta(hours=1)
"""What somebody has had counts for so long."""
TURN_LOCK = 0x5455524E  # an arbitrary number, "TURN"; with it the hash of a name
QUEUED = RunRow.state == State.QUEUED
LATER = datetime.max.replace(tzinfo=UTC)
"""A turn that is to come before."""
NOBODY = ""
"""Wants the runs of which it is not known who does. It has had nothing, so they go soon."""


@dataclass(frozen=True)
class Line:
    """Queued runs of one priority, for one kind of device, that the same people want."""

    wanted_by: list[str]
    device: str
    priority: int
    since: datetime
    """When the first of them was queued."""
    run_id: int
    """The first of them."""
    payer: str = NOBODY
    """Whose turn it takes: of those who want them, whoever goes first."""

    @property
    def people(self) -> Sequence[str]:
        """Those who want them, at least one."""
        return self.wanted_by or (NOBODY,)

    @property
    def runs(self) -> ColumnElement[bool]:
        """Whether a run is in this line."""
        row = RunRow
        of_line = and_(row.wanted_by == self.wanted_by, row.device == self.device)
        return and_(QUEUED, of_line, row.priority == self.priority)


@dataclass(frozen=True)
class Had:
    """What people have had in the last hour."""

    seconds: dict[str, float] = field(default_factory=dict)
    last_turn: dict[str, datetime] = field(default_factory=dict)
    cost: float = LEAST_SECONDS
    """Seconds that a run takes, at the mean."""

    def standing(self, user: str, since: datetime) -> Standing:
        """Of somebody who has waited since then."""
        return Standing(user, since, self.seconds.get(user, 0.0), self.last_turn.get(user))

    def after(self, runs: Iterable[tuple[Sequence[str], int]]) -> Had:
        """What they will have had once so many runs of those who want them have been claimed."""
        seconds, last_turn = self.seconds.copy(), self.last_turn.copy()
        for wanted_by, n in runs:
            for user in wanted_by:
                seconds[user] = seconds.get(user, 0.0) + n * self.cost / len(wanted_by)
                last_turn[user] = LATER
        return Had(seconds, last_turn, self.cost)


def first_lines(
    session: Session, takes: ColumnElement[bool], *, below: int | None = None
) -> list[Line]:
    """The lines of the highest priority at which there are runs to take, those of the next first.

    Args:
        session: to read in.
        takes: which runs may be taken.
        below: only priorities lower than this one; None for all.
    """
    row, lines = RunRow, _lines()
    lower = [] if below is None else [row.priority < below]
    first = (
        select(row.priority, row.queued_at.label("since"), row.id.label("run_id"))
        .where(QUEUED, row.wanted_by == lines.c.wanted_by, row.device == lines.c.device)
        .where(takes, *lower)
        .order_by(row.priority.desc(), row.queued_at, row.id)
        .limit(1)
        .lateral()
    )
    rows = session.execute(select(lines, first).join_from(lines, first, true())).all()
    highest = max((one.priority for one in rows), default=None)
    found = [Line(**one._mapping) for one in rows if one.priority == highest]
    return _in_order(found, _had(session, [line.wanted_by for line in found]))


def _lines() -> CTE:
    """Of every line who wants it and its device, each by one step through an index."""
    row = RunRow
    first = (
        select(row.wanted_by, row.device).where(QUEUED).order_by(row.wanted_by, row.device).limit(1)
    )
    lines = select(first.subquery()).cte("lines", recursive=True)
    here = tuple_(row.wanted_by, row.device)
    following = first.where(here > tuple_(lines.c.wanted_by, lines.c.device)).lateral()
    return lines.union_all(select(following).join_from(lines, following, true()))


def _in_order(lines: Sequence[Line], had: Had) -> list[Line]:
    """With whose turn each takes; of two lines of one person the older goes first."""
    since: dict[str, datetime] = {}
    for line in lines:
        for user in line.people:
            since[user] = min(line.since, since.get(user, line.since))
    standings = order([had.standing(user, since[user]) for user in since])
    rank = {one.user: place for place, one in enumerate(standings)}
    paid = [replace(line, payer=min(line.people, key=rank.__getitem__)) for line in lines]
    return sorted(paid, key=lambda line: (rank[line.payer], line.since, line.run_id))


def _had(session: Session, wanted_by: Iterable[Sequence[str]]) -> Had:
    """What everybody has had; nothing where it makes no difference, as few want what waits."""
    if len({tuple(people) for people in wanted_by}) < 2:
        return Had()
    attempt = AttemptRow
    now = select(clock.now()).scalar_subquery()  # read once, not for every row
    began = select(clock.earlier(WINDOW)).scalar_subquery()
    ended = func.coalesce(attempt.ended_at, now)
    lasted = func.date_part("epoch", ended - func.greatest(attempt.started_at, began))
    seconds = func.greatest(lasted, LEAST_SECONDS) / attempt.fleet
    rows = session.execute(
        select(
            RunRow.wanted_by,
            func.sum(seconds).label("seconds"),
            func.max(attempt.started_at).label("last"),
            func.count().label("n"),
        )
        .join(RunRow, RunRow.id == attempt.run_id)
        .where(or_(attempt.ended_at > began, attempt.ended_at.is_(None)))
        .group_by(RunRow.wanted_by)
    ).all()
    n = sum(one.n for one in rows)
    had = Had(cost=sum(one.seconds for one in rows) / n if n else LEAST_SECONDS)
    for one in rows:
        for user in one.wanted_by:
            had.seconds[user] = had.seconds.get(user, 0.0) + one.seconds / len(one.wanted_by)
            had.last_turn[user] = max(one.last, had.last_turn.get(user, one.last))
    return had


def take_turn(session: Session, user: str) -> bool:
    """Whether nobody else is taking a turn of somebody; nobody will, until the transaction ends."""
    taken = func.pg_try_advisory_xact_lock(TURN_LOCK, func.hashtext(user))
    return bool(session.scalar(select(taken)))


def whose_turn(read: Callable[[], list[Line]], take: Callable[[str], bool]) -> list[Line]:
    """The lines to claim from, first to last, for one of many who claim at the same moment.

    Who takes a turn of somebody keeps others from theirs until it shows in what they have had. So
    those come last whose turn another is taking; but nobody goes without for that.

    Args:
        read: gives the lines in their order.
        take: has the turn of somebody, if nobody else has it.
    """
    lines = read()
    mine: set[str] = set()
    others: set[str] = set()
    while len({line.payer for line in lines}) > 1:
        free = (line.payer for line in lines if line.payer not in others)
        user = next(free, None)
        if user is None or user in mine:
            break
        if take(user):
            mine.add(user)
            lines = read()  # what another claimed meanwhile shows now
        else:
            others.add(user)
    return sorted(lines, key=lambda line: line.payer in others)


def place_in_line(session: Session, runs: Iterable[RunRow]) -> tuple[RunRow, int]:
    """Which of some queued runs is claimed first, and how many others before it.

    These are counted as if each claim took one run, all took as long, and nothing else were asked
    for: a fleet also takes runs of its shape that would have to wait.

    Args:
        session: to read in.
        runs: at least one.
    """
    first: dict[Any, RunRow] = {}
    for run in sorted(runs, key=lambda run: (run.queued_at, run.id)):
        first.setdefault((run.priority, run.device, *run.wanted_by), run)
    return min(
        ((run, _place(session, run)) for run in first.values()),
        key=lambda found: (found[1], found[0].queued_at, found[0].id),
    )


def _place(session: Session, run: RunRow) -> int:
    """On the kind of device on which it is claimed soonest."""
    row, lines = RunRow, _lines()
    alike = row.priority == run.priority
    earlier = tuple_(row.queued_at, row.id) < (run.queued_at, run.id)
    counts = (
        select(
            func.count().filter(row.priority > run.priority).label("above"),
            func.count().filter(alike).label("n"),
            func.count().filter(alike, earlier).label("earlier"),
            func.min(row.queued_at).filter(alike).label("since"),
        )
        .where(QUEUED, row.wanted_by == lines.c.wanted_by, row.device == lines.c.device)
        .where(row.priority >= run.priority)
        .lateral()
    )
    found = session.execute(select(lines, counts).join_from(lines, counts, true())).all()
    had = _had(session, [one.wanted_by for one in found if one.n])
    if run.device == ANY:
        kinds = {worker.device for worker in live_workers(session)} or {*DEVICES}
    else:
        kinds = {run.device}
    return min(
        _place_among(run, [one for one in found if one.device in (ANY, kind)], had)
        for kind in kinds - {ANY}
    )


def _place_among(run: RunRow, counted: Sequence[Row[Any]], had: Had) -> int:
    """Among these lines, of which the runs before it are counted."""
    had = had.after((one.wanted_by, one.above) for one in counted if one.above)
    of = {(*one.wanted_by, one.device): one for one in counted}
    here = [Line(one.wanted_by, one.device, run.priority, one.since, 0) for one in counted if one.n]
    n: Counter[str] = Counter()
    earlier: Counter[str] = Counter()
    since: dict[str, datetime] = {}
    user = None
    for line in _in_order(here, had):
        counts = of[(*line.wanted_by, line.device)]
        n[line.payer] += counts.n
        earlier[line.payer] += counts.earlier
        since.setdefault(line.payer, line.since)
        if (line.wanted_by, line.device) == (run.wanted_by, run.device):
            user = line.payer
    above: int = sum(one.above for one in counted)
    if user is None:  # it has been claimed since it was read
        return above
    standings = [(had.standing(payer, since[payer]), n[payer]) for payer in n]
    return above + turns_before(standings, user, earlier[user], cost=had.cost)

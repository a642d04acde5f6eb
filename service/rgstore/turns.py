"""Whose turn it is: in which order the runs that wait at one priority are claimed.

Claims alternate between people. Whoever has had the least in the last hour goes first, but nobody
waits for more than one turn of each of the others: who has had a turn since somebody began to wait
who has had none since comes after all who have not. `order` is that rule, and the only place where
it is written; a claim takes the first of it, and `turns_before` counts what it will give.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

LEAST_SECONDS = 1.0
"""What a turn counts for at least: one that has just been taken counts at once."""

NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Standing:
    """Somebody whose runs wait."""

    user: str
    since: datetime
    """When the run of theirs was queued that goes first."""
    had: float = 0.0
    """Seconds of a trainer in the last hour, their part of runs that others wanted too."""
    last_turn: datetime | None = None
    """When a run that they wanted was claimed last; None if none was in the last hour."""

    @property
    def waits_anew(self) -> bool:
        """Whether they have had no turn since they began to wait."""
        return self.last_turn is None or self.last_turn < self.since


def order(standings: Collection[Standing]) -> list[Standing]:
    """Who takes the next turn, who would if there were not the first, and so on."""
    longest = min((one.since for one in standings if one.waits_anew), default=None)

    def key(one: Standing) -> tuple[Any, ...]:
        had_one = longest is not None and (one.last_turn or NEVER) >= longest
        return had_one, one.had, *_by_last_turn(one)

    return sorted(standings, key=key)


def _by_last_turn(one: Standing) -> tuple[datetime, datetime, str]:
    return one.last_turn or NEVER, one.since, one.user


def turns_before(
    runs: Sequence[tuple[Standing, int]], user: str, earlier: int, *, cost: float
) -> int:
    """Runs that are claimed before one of somebody's, if each turn takes one run.

    It holds while nothing else is asked for, and every run takes as long as the others.

    Args:
        runs: who has how many runs waiting, at least one each.
        user: whose run.
        earlier: runs of theirs that they wait for before it.
        cost: seconds that a run takes.
    """
    first, rest = _first_round([one for one, _ in runs])
    if user in first and earlier == 0:
        return first.index(user)
    had = {one.user: one.had for one, _ in runs}
    ranks = {name: rank for rank, name in enumerate([*first, *rest])}

    def level(name: str, turns: int) -> tuple[float, int, int]:
        # after the first round turns come in this order: of two who have had the same, first goes
        # who has not had any of these turns, or had the latest of them before the other
        return had[name] + turns * cost, turns, ranks[name]

    mine, before = level(user, earlier), len(first)
    for one, n in runs:
        left = range(int(one.user in first), n)
        before += bisect_left(left, mine, key=partial(level, one.user))
    return before


def _first_round(standings: Collection[Standing]) -> tuple[list[str], list[str]]:
    """Who takes a turn, one after another, until nobody waits anew; and the others."""
    left, taken = order(standings), []
    while any(one.waits_anew for one in left):
        left = order(left)
        taken.append(left.pop(0).user)
    return taken, [one.user for one in sorted(left, key=_by_last_turn)]

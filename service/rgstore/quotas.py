"""How much of the lab each person may use: limits, what counts for them, what is refused.

Limits of the lab are its settings; a person's own go before them. What a request would add is
counted before it is stored, while a lock of the person keeps their other requests waiting: two at
once never pass on the same count. Who has no limit takes no lock.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from rgcontract import State
from rgcontract.quotas import Amount, Quota, QuotaUse, known, use_of
from rgstore import charges
from rgstore.among import among
from rgstore.asked import Asked
from rgstore.records import RunKey
from rgstore.settings import Settings
from rgstore.tables import ExperimentRow, RunRow, SubmissionRow, UserRow
from rgstore.wishes import ENDED, wanted_by

QUOTA_LOCK = 0x52474C51  # an arbitrary number, "RGLQ"; with a person it names a lock
LINE_SECONDS = 60
"""After which it is worth asking again whether runs have left the line."""

Amounts = Mapping[Quota, Amount]
"""Quota -> its limit, or what counts for it; a quota without a limit is left out."""


@dataclass(frozen=True)
class Over:
    """A quota that a request would exceed."""

    quota: Quota
    limit: Amount
    used: Amount
    asked: Amount
    """What the request would add."""
    retry_seconds: float | None
    """When to ask again; None where no time helps."""


class OverQuotaError(Exception):
    """A person would have more than they may; nothing was stored."""

    def __init__(self, over: Sequence[Over]) -> None:
        """With each quota that is exceeded, in the order of the registry."""
        super().__init__(", ".join(one.quota for one in over))
        self.over = over


def of_lab(settings: Settings) -> Amounts:
    """The limits of everybody who has none of their own."""
    limits = {quota: getattr(settings, f"quota_{quota}") for quota in Quota}
    return {quota: limit for quota, limit in limits.items() if limit is not None}


def of_person(session: Session, name: str, lab: Amounts) -> Amounts:
    """The limits of somebody, as they are at this moment."""
    return limits_of(lab, session.scalar(select(UserRow.quotas).where(UserRow.name == name)))


def limits_of(lab: Amounts, own: Mapping[str, Any] | None) -> dict[Quota, Amount]:
    """The limits of somebody, by those of the lab and what is stored of their own."""
    return {**lab, **known(own or {})}


def hold(session: Session, people: Iterable[str], lab: Amounts) -> dict[str, Amounts]:
    """Keep what counts for people from changing until the transaction ends.

    Take it before anything else is locked: whoever has it may wait for runs, and for nothing that
    the holder of a run waits for.

    Args:
        session: the transaction.
        people: who asks.
        lab: `of_lab`.

    Returns:
        Person -> their limits of what is stored; none for whom there are none.
    """
    held: dict[str, Amounts] = {}
    for name in sorted(people):  # two that hold several never wait for each other
        limits = of_person(session, name, lab)
        held[name] = {quota: limits[quota] for quota in COUNTED if quota in limits}
        if held[name]:
            lock = func.pg_advisory_xact_lock(QUOTA_LOCK, func.hashtext(name))
            session.execute(select(lock))
    return held


def check(session: Session, owner: str, limits: Amounts, added: Amounts) -> None:
    """Refuse what would be more than somebody may have.

    What adds nothing to a quota is never refused for it, however much is used.

    Args:
        session: a transaction that holds `owner`.
        owner: who asks.
        limits: theirs.
        added: what the request adds: `added_by` or `added_by_retrying`.

    Raises:
        OverQuotaError: it would be.
    """
    over = []
    for quota, limit in limits.items():
        asked = added[quota]
        if not asked:
            continue
        used = COUNTED[quota](session, owner)
        if used + asked > limit:
            wait = None if asked > limit else _WAIT[quota](session, owner, used + asked - limit)
            over.append(Over(quota, limit, used, asked, wait))
    if over:
        raise OverQuotaError(over)


def added_by(session: Session, owner: str, asked: Sequence[Asked]) -> Amounts:
    """What submissions of somebody would add to each quota that counts what is stored."""
    row = RunRow
    there: dict[tuple[str, RunKey], tuple[str, bool]] = {}
    names = {one.name for one in asked}
    rows = select(row.experiment_id, row.chain_seed, row.seed, row.state, wanted_by(owner))
    for name, chain_seed, seed, state, wanted in session.execute(
        rows.where(among(row.experiment_id, names))
    ):
        there[name, (chain_seed, seed)] = state, wanted
    runs, flops, stored = 0, 0.0, 0.0
    once = {(one.name, run): one for one in asked for run in one.submission.runs}
    for key, of in once.items():
        state, wanted = there.get(key, (State.CANCELLED, False))
        if state == State.CANCELLED:
            runs, flops, stored = runs + 1, flops + of.flops_per_run, stored + of.bytes_per_run
        elif state == State.QUEUED and not wanted:
            runs += 1
    return _amounts(runs, flops, stored)


def added_by_retrying(session: Session, owner: str, runs: Iterable[ColumnElement[bool]]) -> Amounts:
    """The same for queueing those of these runs again that have failed or were cancelled."""
    experiment = ExperimentRow
    stored = func.sum(experiment.stored_bytes_per_run).filter(_added_by(owner))
    ended = (
        select(func.count(), func.sum(experiment.flops_per_run), stored)
        .select_from(RunRow)
        .join(experiment, experiment.id == RunRow.experiment_id)
        .where(among(RunRow.state, ENDED), *runs)
    )
    n_runs, flops, n_bytes = session.execute(ended).one()
    return _amounts(n_runs, flops or 0.0, n_bytes or 0.0)


def uses(
    session: Session, owner: str, limits: Amounts, rate_used: Amount | None = None
) -> list[QuotaUse]:
    """What of each quota somebody has used.

    Args:
        session: to read in.
        owner: who.
        limits: theirs.
        rate_used: of their requests, where they are counted.
    """
    used = {quota: count(session, owner) for quota, count in COUNTED.items()}
    told = {**used, Quota.REQUESTS_PER_SECOND: rate_used}
    return [use_of(quota, limits.get(quota), told[quota]) for quota in Quota]


def _amounts(runs: int, flops: float, stored: float) -> Amounts:
    return {
        Quota.QUEUED_RUNS: runs,
        Quota.FLOPS_PER_DAY: flops,
        Quota.STORED_BYTES: math.ceil(stored),
    }


def _queued_runs(session: Session, owner: str) -> int:
    queued = select(func.count()).where(RunRow.state == State.QUEUED, wanted_by(owner))
    return session.scalars(queued).one()


def _stored_bytes(session: Session, owner: str) -> int:
    kept = (State.QUEUED, State.RUNNING, State.DONE)
    stored = (
        select(func.sum(ExperimentRow.stored_bytes_per_run))
        .select_from(RunRow)
        .join(ExperimentRow, ExperimentRow.id == RunRow.experiment_id)
        .where(among(RunRow.state, kept), _added_by(owner))
    )
    return math.ceil(session.scalar(stored) or 0.0)


def _added_by(owner: str) -> ColumnElement[bool]:
    """Whether a request of somebody put a run in line first."""
    row = SubmissionRow
    added = RunRow.seed == func.any(row.added_seeds)
    return exists().where(row.owner == owner, row.experiment_id == RunRow.experiment_id, added)


COUNTED: Mapping[Quota, Callable[[Session, str], Amount]] = {
    Quota.QUEUED_RUNS: _queued_runs,
    Quota.FLOPS_PER_DAY: charges.charged,
    Quota.STORED_BYTES: _stored_bytes,
}
"""How what is stored is counted for somebody; requests are counted where they come in."""


_WAIT: Mapping[Quota, Callable[[Session, str, Amount], float | None]] = {
    Quota.QUEUED_RUNS: lambda *_: LINE_SECONDS,
    Quota.FLOPS_PER_DAY: charges.seconds_until_free,
    Quota.STORED_BYTES: lambda *_: None,
}
"""After how many seconds there may be room, where there is too much by so much."""

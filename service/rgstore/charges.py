"""Operations that each person put in line of late: what a quota of a day is counted by."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from rgcontract.quotas import Quota
from rgstore import clock
from rgstore.tables import ChargeRow

COUNTS_FOR = timedelta(seconds=Quota.FLOPS_PER_DAY.row.window_seconds or 0)


def charge(session: Session, owner: str, flops: float) -> None:
    """Write down that somebody put so many operations in line."""
    if flops > 0:
        session.add(ChargeRow(owner=owner, flops=flops))
        session.flush()


def charged(session: Session, owner: str) -> float:
    """Operations that somebody put in line within the time that counts."""
    row = ChargeRow
    counted = select(func.coalesce(func.sum(row.flops), 0.0)).where(row.owner == owner, _counts())
    return session.scalars(counted).one()


def seconds_until_free(session: Session, owner: str, flops: float) -> float | None:
    """When so many operations, or more, will count no longer; None if there are not so many."""
    row = ChargeRow
    freed = func.sum(row.flops).over(order_by=(row.at, row.id)).label("freed")
    one_by_one = select(row.at, freed).where(row.owner == owner, _counts()).subquery()
    moment: datetime | None = session.scalar(
        select(func.min(one_by_one.c.at)).where(one_by_one.c.freed >= flops)
    )
    if moment is None:
        return None
    now = session.scalars(select(clock.instant())).one()
    return (moment + COUNTS_FOR - now).total_seconds()


def forget_old(session: Session) -> None:
    """Delete what counts no longer."""
    old = delete(ChargeRow).where(~_counts())
    session.execute(old.execution_options(synchronize_session=False))


def _counts() -> ColumnElement[bool]:
    began = select(clock.ago(COUNTS_FOR)).scalar_subquery()  # read once, not for every row
    return ChargeRow.at > began

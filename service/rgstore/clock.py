"""The time, as every statement reads it: Postgres' own, unless it has been set.

Workers on many machines share one clock, that of the database. A test sets it: `SETTING` holds a
moment, for a transaction or a session, and while it does it is that moment.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Function,
    Interval,
    Text,
    cast,
    func,
    literal,
    literal_column,
)

SETTING = "rglab.now"
WRITTEN_AT = func.now()
"""What the tables themselves write where a statement names no time: a release before, or `psql`."""

MICROSECOND = literal(timedelta(microseconds=1), Interval())


def now() -> ColumnElement[datetime]:
    """When the transaction began: all that it writes bears one time."""
    return _unless_set(func.now())


def instant() -> ColumnElement[datetime]:
    """This very moment: a lease counts from it, not from when its transaction began."""
    return _unless_set(func.clock_timestamp())


def ago(delta: timedelta) -> ColumnElement[datetime]:
    """So long before this moment."""
    return instant() - literal(delta, Interval())


def earlier(delta: timedelta) -> ColumnElement[datetime]:
    """So long before the transaction began: what it reads is of that moment, however long it is."""
    return now() - literal(delta, Interval())


def ahead(delta: timedelta) -> ColumnElement[datetime]:
    """So long after this moment."""
    return instant() + literal(delta, Interval())


def _unless_set(reading: Function[datetime]) -> ColumnElement[datetime]:
    # a setting that a session has had and has no longer reads as an empty text
    moment = literal_column(f"nullif(current_setting('{SETTING}', true), '')", Text())
    return func.coalesce(cast(moment, DateTime(timezone=True)), reading)

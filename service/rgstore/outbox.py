"""What workers are told once a transaction is committed, and not before.

Store functions that put runs in line write them here. Only `Database.begin` empties it, after its
commit: nobody is told of a run that is still locked, and what is rolled back is told to nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy.orm import Session

Announcement = Mapping[str, Sequence[int]]
"""Who listens (a kind of device, or one worker) -> the runs that wait for them."""
ANY = "any"
"""The listener of runs that any worker may take."""

_KEY = "outbox"


def put(session: Session, listener: str, run_ids: Iterable[int]) -> None:
    """Have whoever listens told of these runs when the transaction is committed."""
    session.info.setdefault(_KEY, {}).setdefault(listener, []).extend(run_ids)


def taken(session: Session) -> Announcement:
    """All that was put in. It is empty afterwards."""
    found: Announcement = session.info.pop(_KEY, {})
    return {listener: run_ids for listener, run_ids in found.items() if run_ids}

"""`GET /v1/audit`: who changed what. Everybody may read it, as all that the lab has."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from rgcontract.audit import Action, AuditEntry, AuditPage
from rgcontract.moments import Moment
from rgservice.http import paging as cursors
from rgservice.http.deps import AUTHENTICATED, Reader, SnapshotDep
from rgservice.http.described import refusals
from rgstore import audit
from rgstore.audit import Asked
from rgstore.tables import AuditRow

router = APIRouter(prefix="/v1/audit", tags=["operations"], dependencies=AUTHENTICATED)
_NUMBERS = "[0-9]{1,18}"
"""Of entries: 64-bit integers."""
Name = Annotated[str | None, Query(min_length=1, max_length=200)]


@router.get("", responses=refusals(401, 422))
def show(
    session: SnapshotDep,
    _: Reader,
    who: Name = None,
    action: Action | None = None,
    target: Name = None,
    since: Annotated[
        Moment | None, Query(description="Not before this moment, with its time zone")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> AuditPage:
    """Who changed what, when and by which token, newest first. `target` is what was changed."""
    cursors.without_nul(who=who, target=target)
    asked = Asked(who=who, action=action, target=target, since=since)
    after = _place(cursor) if cursor is not None else None
    rows = audit.page(session, asked, after=after, limit=limit + 1)
    shown, more = rows[:limit], len(rows) > limit
    last = cursors.encoded(shown[-1].at, str(shown[-1].id)) if more else None
    return AuditPage(items=[_entry(row) for row in shown], next_cursor=last)


def _place(cursor: str) -> tuple[datetime, int]:
    at, number = cursors.decoded(cursor, _NUMBERS)
    return at, int(number)


def _entry(row: AuditRow) -> AuditEntry:
    return AuditEntry(**{name: getattr(row, name) for name in AuditEntry.model_fields})

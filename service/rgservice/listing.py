"""Pages of experiments. A cursor is the key of the last one shown, so pages never shift."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

from sqlalchemy.orm import Session

from rgcontract import ExperimentPage, FieldProblem
from rgservice.errors import InvalidQuery
from rgservice.views import summary_views
from rgstore import experiments
from rgstore.experiments import Filters


def page(session: Session, filters: Filters, *, cursor: str | None, limit: int) -> ExperimentPage:
    """A page of experiments, newest first.

    Raises:
        InvalidQuery: the cursor is not one of ours, or a text filter holds NUL.
    """
    for name in ("family", "mixing", "tag", "owner"):
        if "\x00" in (getattr(filters, name) or ""):
            raise _refused(name, "contains NUL", "text")
    after = _decoded(cursor) if cursor else None
    rows = experiments.page(session, filters, after=after, limit=limit + 1)
    shown, more = rows[:limit], len(rows) > limit
    last = _encoded(shown[-1].created_at, shown[-1].id) if more else None
    return ExperimentPage(items=summary_views(session, shown), next_cursor=last)


def _encoded(created_at: datetime, name: str) -> str:
    return base64.urlsafe_b64encode(f"{created_at.isoformat()}|{name}".encode()).decode()


def _decoded(cursor: str) -> tuple[datetime, str]:
    try:
        moment, _, name = base64.urlsafe_b64decode(cursor.encode()).decode().partition("|")
        key = datetime.fromisoformat(moment), name
    except (binascii.Error, ValueError) as error:
        raise _refused(
            "cursor", "is not a cursor of this server", "next_cursor of a page"
        ) from error
    if key[0].tzinfo is None or "\x00" in name:
        raise _refused("cursor", "is not a cursor of this server", "next_cursor of a page")
    return key


def _refused(field: str, message: str, allowed: str) -> InvalidQuery:
    problem = FieldProblem(field=field, message=message, allowed=allowed)
    return InvalidQuery(f"{field} {message}", errors=[problem])

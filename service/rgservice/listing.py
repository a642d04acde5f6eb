"""Pages of experiments."""

from __future__ import annotations

from sqlalchemy.orm import Session

from rgcontract import ExperimentPage
from rgservice import cursor as cursors
from rgservice.views import summary_views
from rgstore import experiments
from rgstore.experiments import Filters


def page(
    session: Session, filters: Filters, reader: str, *, cursor: str | None, limit: int
) -> ExperimentPage:
    """A page of experiments, newest first, as their reader calls them.

    Raises:
        InvalidQuery: the cursor is not one of ours, or a text filter holds NUL.
    """
    cursors.without_nul(
        family=filters.family, mixing=filters.mixing, tag=filters.tag, owner=filters.owner
    )
    after = cursors.decoded(cursor) if cursor else None
    rows = experiments.page(session, filters, after=after, limit=limit + 1)
    shown, more = rows[:limit], len(rows) > limit
    last = cursors.encoded(shown[-1].created_at, shown[-1].id) if more else None
    return ExperimentPage(items=summary_views(session, shown, reader), next_cursor=last)

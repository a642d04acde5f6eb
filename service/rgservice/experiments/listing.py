"""Pages of experiments."""

from __future__ import annotations

from sqlalchemy.orm import Session

from rgcontract import ExperimentPage
from rgservice.experiments.views import summary_views
from rgservice.http import paging as cursors
from rgstore import experiments
from rgstore.experiments import Filters


def page(
    session: Session, filters: Filters, reader: str, *, cursor: str | None, limit: int
) -> ExperimentPage:
    """A page of experiments, newest first, as their reader calls them.

    Raises:
        InvalidQuery: the cursor is not one of ours, a text filter holds NUL, or a range is empty.
    """
    cursors.without_nul(owner=filters.owner)
    _is_a_range("corr_len", filters.corr_len_min, filters.corr_len_max)
    after = cursors.decoded(cursor) if cursor else None
    rows = experiments.page(session, filters, after=after, limit=limit + 1)
    shown, more = rows[:limit], len(rows) > limit
    last = cursors.encoded(shown[-1].created_at, shown[-1].id) if more else None
    return ExperimentPage(items=summary_views(session, shown, reader), next_cursor=last)


def _is_a_range(name: str, least: float | None, most: float | None) -> None:
    if least is not None and most is not None and least > most:
        raise cursors.refused(
            f"{name}_min", f"{least:g} is above {name}_max, {most:g}", f"at most {name}_max"
        )

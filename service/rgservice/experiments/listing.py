"""Pages of experiments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, make_dataclass
from typing import Annotated, Any

from fastapi import Query
from sqlalchemy.orm import Session

from rgcontract import ExperimentPage
from rgcontract.filters import FILTERS, RANGES
from rgservice.experiments.views import summary_views
from rgservice.http import paging as cursors
from rgstore import experiments

Filters: Any = make_dataclass(
    "Filters",
    [
        (row.name, Annotated[row.type | None, Query(description=row.meaning)], field(default=None))
        for row in FILTERS.values()
    ],
    frozen=True,
)
"""What a list is narrowed to; None means any. FastAPI reads query parameters off its signature."""


def page(
    session: Session, filters: Mapping[str, Any], reader: str, *, cursor: str | None, limit: int
) -> ExperimentPage:
    """A page of experiments, newest first, as their reader calls them.

    Raises:
        InvalidQuery: the cursor is not one of ours, a text filter holds NUL, or a range is empty.
    """
    texts = {name: value for name, value in filters.items() if isinstance(value, str)}
    cursors.without_nul(**texts)
    for least, most in RANGES.items():
        _is_a_range(least, filters[least], most, filters[most])
    after = cursors.decoded(cursor) if cursor else None
    rows = experiments.page(session, filters, after=after, limit=limit + 1)
    shown, more = rows[:limit], len(rows) > limit
    last = cursors.encoded(shown[-1].created_at, shown[-1].id) if more else None
    return ExperimentPage(items=summary_views(session, shown, reader), next_cursor=last)


def _is_a_range(lower: str, least: float | None, upper: str, most: float | None) -> None:
    if least is not None and most is not None and least > most:
        raise cursors.refused(lower, f"{least:g} is above {upper}, {most:g}", f"at most {upper}")

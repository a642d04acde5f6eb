"""Pages of experiments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, make_dataclass
from typing import Annotated, Any

from fastapi import Query
from sqlalchemy.orm import Session

from rgcontract import ExperimentPage, sorting
from rgcontract.filters import FILTERS, RANGES
from rgcontract.sorting import Order
from rgservice.experiments import cursors
from rgservice.experiments.views import summary_views
from rgservice.http.paging import refused, without_nul
from rgstore import experiments
from rgstore.ordering import Place

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
    session: Session,
    filters: Mapping[str, Any],
    reader: str,
    *,
    sort: str,
    cursor: str | None,
    limit: int,
) -> ExperimentPage:
    """A page of experiments in the order of `sort`, as their reader calls them.

    Raises:
        InvalidQuery: there is no such order, the cursor is not one of this list, a text filter
            holds NUL, or a range is empty.
    """
    texts = {name: value for name, value in filters.items() if isinstance(value, str)}
    without_nul(**texts)
    for least, most in RANGES.items():
        _is_a_range(least, filters[least], most, filters[most])
    order = _order(sort)
    after = cursors.decoded(cursor, order, filters) if cursor is not None else None
    rows = experiments.page(session, filters, order=order, after=after, limit=limit + 1)
    shown, more = rows[:limit], len(rows) > limit
    place = Place(getattr(shown[-1], experiments.KEY), shown[-1].id) if more else None
    last = cursors.encoded(order, filters, place) if place else None
    return ExperimentPage(items=summary_views(session, shown, reader), next_cursor=last)


def _order(sort: str) -> Order:
    try:
        return sorting.order(sort)
    except sorting.NoSuchOrder as error:
        raise refused("sort", str(error), sorting.TAKEN) from error


def _is_a_range(lower: str, least: float | None, upper: str, most: float | None) -> None:
    if least is not None and most is not None and least > most:
        raise refused(lower, f"{least:g} is above {upper}, {most:g}", f"at most {upper}")

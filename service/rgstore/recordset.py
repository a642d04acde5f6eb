"""Many rows in one parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnClause,
    TableValuedAlias,
    bindparam,
    column,
    func,
)
from sqlalchemy.orm import InstrumentedAttribute


def recordset(
    rows: Sequence[Mapping[str, Any]], *columns: InstrumentedAttribute[Any] | ColumnClause[Any]
) -> TableValuedAlias:
    """Rows as a table, by one parameter however many there are."""
    typed = [column(item.name, item.type) for item in columns]
    return (
        func.json_to_recordset(bindparam(None, rows, JSON))
        .table_valued(*typed, name="asked")
        .render_derived(with_types=True)
    )

"""A condition on a column that is as long as a list, and no longer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute


def among(column: InstrumentedAttribute[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """Whether a column has one of these values: one parameter, however many there are."""
    return column == func.any(bindparam(None, list(values), ARRAY(column.type)))

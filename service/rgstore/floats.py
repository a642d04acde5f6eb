"""Numbers on their way into Postgres: plain floats, whatever a caller has them as.

The driver picks a type by what it finds in a list: an int among floats is refused, and so are the
scalars of numpy where rows are copied.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, SupportsFloat

from sqlalchemy import Dialect, Double
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeDecorator, TypeEngine


class Float(TypeDecorator[float]):
    """A double: int, float, or a scalar of numpy."""

    impl = Double
    cache_ok = True

    def process_bind_param(self, value: SupportsFloat | None, dialect: Dialect) -> float | None:  # noqa: ARG002 - the base's
        """As a plain float; null stays null."""
        return None if value is None else float(value)


class Floats(TypeDecorator[list[float]]):
    """A flat array of doubles: a list or a numpy array of any of these."""

    impl = ARRAY(Double())
    cache_ok = True

    def process_bind_param(
        self,
        value: Iterable[SupportsFloat | None] | None,
        dialect: Dialect,  # noqa: ARG002 - the base's
    ) -> list[float | None] | None:
        """As a list of plain floats; null stays null."""
        if value is None:
            return None
        return [None if one is None else float(one) for one in value]

    def coerce_compared_value(self, op: OperatorType | None, value: Any) -> TypeEngine[Any]:
        """As the array's own: an index is no array."""
        return self.impl_instance.coerce_compared_value(op, value)

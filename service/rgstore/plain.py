"""Numbers on their way into Postgres: plain ones of Python, whatever a caller has them as.

The driver picks the type of an array by what it finds in it: an int among floats, or a scalar of
numpy among plain numbers, is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import index
from typing import Any

from sqlalchemy import Dialect, Double, Integer
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeDecorator, TypeEngine


class Float(TypeDecorator[float]):
    """A double: from an int, a float or a scalar of numpy."""

    impl = Double
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> float | None:  # noqa: ARG002 - the base's
        """As a plain float; null stays null."""
        return None if value is None else float(value)


class _Flat(TypeDecorator[list[Any]]):
    """A flat array of one kind: from a list or an array of numpy."""

    cache_ok = True
    plain: Callable[[Any], Any]

    def process_bind_param(self, value: Iterable[Any] | None, dialect: Dialect) -> list[Any] | None:  # noqa: ARG002 - the base's
        """As a list of plain numbers; null stays null."""
        if value is None:
            return None
        plain = self.plain
        return [None if one is None else plain(one) for one in value]

    def coerce_compared_value(self, op: OperatorType | None, value: Any) -> TypeEngine[Any]:
        """As the array's own: an index is no array."""
        return self.impl_instance.coerce_compared_value(op, value)


class Floats(_Flat):
    """Doubles."""

    impl = ARRAY(Double())
    cache_ok = True
    plain = float


class Ints(_Flat):
    """Integers; a number that is none is refused."""

    impl = ARRAY(Integer())
    cache_ok = True
    plain = staticmethod(index)

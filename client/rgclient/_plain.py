"""Values that people have in a notebook, as JSON has them.

NumPy, pandas and torch are served by what their scalars and arrays have in common (`tolist`,
`item`), without importing any of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

from pydantic import BaseModel

from rgclient._errors import InvalidValue


def plain(value: Any, path: str) -> Any:  # noqa: PLR0911 - one return per kind of value
    """The value in dicts, lists, strings, finite numbers, booleans and None.

    Args:
        value: anything that a spec may be written with.
        path: the field, for the message.

    Raises:
        InvalidValue: it is not finite, or JSON has nothing like it.
    """
    match value:
        case None | bool():
            return value
        case Enum():
            return plain(value.value, path)
        case str():
            return _text(value, path)
        case int():
            return int(value)
        case float():
            return _finite(float(value), path)
        case BaseModel():
            return plain(value.model_dump(mode="json"), path)
        case Mapping():
            return {str(key): plain(item, f"{path}.{key}") for key, item in value.items()}
        case bytes() | bytearray():
            raise _refused(value, path)
    for method in ("tolist", "item"):  # an array; then a scalar that is not an array
        convert = getattr(value, method, None)
        if callable(convert):
            return plain(convert(), path)
    if isinstance(value, Iterable):
        return [plain(item, f"{path}.{index}") for index, item in enumerate(value)]
    raise _refused(value, path)


def _finite(value: float, path: str) -> float:
    if not math.isfinite(value):
        raise InvalidValue(f"{path} is {value}; send a finite number")
    return value


def _text(value: str, path: str) -> str:
    if "\x00" in value or any("\ud800" <= char <= "\udfff" for char in value):
        raise InvalidValue(f"{path} has a character that JSON or a database refuses: {value!r}")
    return str(value)


def _refused(value: object, path: str) -> InvalidValue:
    kind = type(value).__name__
    return InvalidValue(f"{path} is of type {kind}; send a number, a text or a list of them")

"""From what a notebook holds to what JSON can carry.

Arrays and tables of any library are read by the protocols that they share, without importing any
of them. What would be misread is refused: a set has no order, a mapping stands for its keys only
when it is looped over, a masked entry is no number, a date would be an integer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, MappingView, Sequence
from enum import Enum
from importlib import import_module
from itertools import islice
from numbers import Integral, Real
from typing import Any

from pydantic import BaseModel

from rgclient._errors import InvalidValue

DEEPEST = 8
"""Lists in lists; what is deeper contains itself."""
LONGEST = 100_000
"""Items of a list; an iterator may have no end."""
BITS = 64
"""More than any integer of a spec has."""
READ = ("toarray", "todense", "tolist", "to_numpy", "__array__", "to_dense")
"""How sparse matrices, arrays and tables are asked for their entries, in the order of trying."""
EXPORTED = ("__array_interface__", "__dlpack__")
"""What numpy can read that has no such method."""
NO_NUMBERS = {"M": "dates", "m": "durations", "V": "records"}
"""Kinds of numpy's types that would turn into integers or tuples."""
ALLOWED = "send a number, a text or a list of them"


def section(value: Any, path: str) -> Any:
    """A section of a spec, a dict or a model, with plain values; what is neither as `plain`."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if not isinstance(value, Mapping) or _is_array(value):
        return plain(value, path)
    for key in value:
        if not isinstance(key, str):
            raise InvalidValue(f"{path} has the key {key!r}; its keys are names of fields")
    return {str(key): plain(item, f"{path}.{key}") for key, item in value.items()}


def plain(value: Any, path: str, depth: int = 0) -> Any:  # noqa: PLR0911 - one per kind of value
    """The value in lists, strings, finite numbers, booleans and None.

    Args:
        value: anything that a field may be written with.
        path: the field, for the message.
        depth: lists and arrays around it.

    Raises:
        InvalidValue: it is not finite, it would be misread, or JSON has nothing like it.
    """
    if depth > DEEPEST:
        raise InvalidValue(f"{path} is nested too deeply; {ALLOWED}")
    kind = getattr(getattr(value, "dtype", None), "kind", None)
    if kind in NO_NUMBERS:
        raise InvalidValue(f"{path} holds {NO_NUMBERS[kind]}; {ALLOWED}")
    match value:
        case None | bool():
            return value
        case Enum():
            return plain(value.value, path, depth + 1)
        case str():
            return _text(value, path)
        case Integral():
            return _bounded(int(value), path)
        case Real():
            return _finite(value, path)
        case bytes() | bytearray() | memoryview() | type():
            raise _refused(value, path)
        case set() | frozenset():
            raise InvalidValue(f"{path} is a set, which has no order; send a list: sorted(...)")
    if _is_array(value):
        return plain(_entries(value, path), path, depth + 1)
    if isinstance(value, Sequence | Iterator | MappingView):
        return _list(value, path, depth)
    raise _refused(value, path)


def _is_array(value: object) -> bool:
    return any(hasattr(value, name) for name in (*READ, *EXPORTED))


def _entries(value: Any, path: str) -> Any:
    """What is in an array or a table: lists, a number, or an array that is simpler to read."""
    mask: Any = getattr(value, "mask", None) if hasattr(value, "filled") else None
    if hasattr(mask, "any") and mask.any():
        raise InvalidValue(f"{path} has masked entries; send a value for each")
    cause: Exception | None = None
    for name in (*READ, *EXPORTED):
        if not hasattr(value, name):
            continue
        try:
            found = import_module("numpy").asarray(value) if name in EXPORTED else _ask(value, name)
        except Exception as error:  # of any library, each with its own reasons
            cause = cause or error
        else:
            if found is not value:
                return found
    why = f" ({cause})" if cause else ""
    raise InvalidValue(f"{_refused(value, path)}{why}") from cause


def _ask(value: Any, name: str) -> Any:
    return getattr(value, name)()


def _list(value: Sequence[Any] | Iterator[Any] | MappingView, path: str, depth: int) -> list[Any]:
    found = [
        plain(item, f"{path}.{index}", depth + 1)
        for index, item in enumerate(islice(iter(value), LONGEST + 1))  # type: ignore[arg-type]
    ]
    if len(found) > LONGEST:
        raise InvalidValue(f"{path} has more than {LONGEST} items")
    return found


def _bounded(value: int, path: str) -> int:
    if value.bit_length() > BITS:
        raise InvalidValue(f"{path} has {value.bit_length()} bits; send an integer below 2^63")
    return value


def _finite(value: Real, path: str) -> float:
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found):
        raise InvalidValue(f"{path} is {found}; send a finite number")
    return found


def _text(value: str, path: str) -> str:
    if "\x00" in value or any("\ud800" <= char <= "\udfff" for char in value):
        raise InvalidValue(f"{path} has a character that JSON or a database refuses: {value!r}")
    return str(value)


def _refused(value: object, path: str) -> InvalidValue:
    return InvalidValue(f"{path} is of type {type(value).__name__}; {ALLOWED}")

"""Strict JSON, both ways: no NaN, no Infinity, no duplicate keys, no text a database refuses."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn


class StrictJsonError(ValueError):
    """Text that is not strict JSON; the message says where and why."""


def loads(body: bytes | str) -> Any:
    """Parse strict JSON.

    Raises:
        StrictJsonError: not UTF-8, not JSON, NaN or Infinity or a number beyond a double, a key
            given twice, NUL or a lone surrogate in a string, or nesting too deep to parse.
    """
    try:
        value = json.loads(
            body.decode("utf-8") if isinstance(body, bytes) else body,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_bounded,
            object_pairs_hook=_no_duplicates,
        )
        _check_text(value)
    except StrictJsonError:
        raise
    except UnicodeDecodeError as error:
        raise StrictJsonError(f"the body is not UTF-8: {error}") from error
    except RecursionError as error:
        raise StrictJsonError("the body is nested too deeply") from error
    except ValueError as error:
        raise StrictJsonError(f"the body is not JSON: {error}") from error
    return value


def dumps(value: Any) -> str:
    """Write strict JSON; a NaN or an infinity is a ValueError, never text."""
    return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))


def number_or_none(value: float) -> float | None:
    """A float as JSON has it: null where it is not a finite number."""
    return value if math.isfinite(value) else None


def _refuse_constant(text: str) -> NoReturn:
    raise StrictJsonError(f"{text} is not JSON; send a finite number or null")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise StrictJsonError(f"{_short(text)} is beyond the range of a double")
    return value


def _bounded(text: str) -> int:
    if len(text) > 20:  # beyond 64 bits whatever the digits
        raise StrictJsonError(f"{_short(text)} is beyond the range of a 64-bit integer")
    return int(text)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise StrictJsonError(f"the key {_short(key)!r} is given twice")
        result[key] = value
    return result


def _check_text(value: Any) -> None:
    if isinstance(value, str):
        if "\x00" in value:
            raise StrictJsonError("a string contains NUL (\\u0000)")
        if any("\ud800" <= char <= "\udfff" for char in value):
            raise StrictJsonError("a string contains a lone surrogate")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_text(key)
            _check_text(item)
    elif isinstance(value, list):
        for item in value:
            _check_text(item)


def _short(text: str) -> str:
    return text if len(text) <= 24 else f"{text[:20]}..."

"""A moment as somebody writes it: a date and a time with its zone, never a number of seconds."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator, Strict
from pydantic_core import PydanticKnownError


def _no_number(written: Any) -> Any:
    """Refuse numbers, as text too: Pydantic reads them as seconds since 1970."""
    if isinstance(written, datetime) or (isinstance(written, str) and not _is_number(written)):
        return written
    raise PydanticKnownError("datetime_parsing", {"error": "it is written as 2026-01-31T12:00:00Z"})


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


# not strict: text that has been through a function counts as Python's, which would not do
Moment = Annotated[AwareDatetime, Strict(strict=False), BeforeValidator(_no_number)]

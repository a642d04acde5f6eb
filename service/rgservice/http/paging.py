"""A cursor is the (created_at, id) key of the last one shown, so pages never shift."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime

from rgcontract import FieldProblem
from rgservice.http.errors import InvalidQuery

NOT_OURS = "is not a cursor of this server"


def encoded(created_at: datetime, name: str) -> str:
    """The cursor of a row."""
    return base64.urlsafe_b64encode(f"{created_at.isoformat()}|{name}".encode()).decode()


def decoded(cursor: str, names: str) -> tuple[datetime, str]:
    """The key of a cursor.

    Args:
        cursor: as it was sent.
        names: what the ids of such rows look like, as a regular expression.

    Raises:
        InvalidQuery: it is not one of ours: not such a key, or written otherwise than we do.
    """
    try:
        moment, _, name = base64.urlsafe_b64decode(cursor.encode()).decode().partition("|")
        key = datetime.fromisoformat(moment), name
    except (binascii.Error, ValueError) as error:
        raise refused("cursor", NOT_OURS, "next_cursor of a page") from error
    named = re.fullmatch(names, name, re.ASCII) is not None
    if key[0].tzinfo is None or not named or encoded(*key) != cursor:
        raise refused("cursor", NOT_OURS, "next_cursor of a page")
    return key


def refused(field: str, message: str, allowed: str) -> InvalidQuery:
    """The refusal of one query parameter."""
    return InvalidQuery.of([FieldProblem(field=field, message=message, allowed=allowed)])


def without_nul(**texts: str | None) -> None:
    """Check text filters: a database refuses NUL.

    Raises:
        InvalidQuery: one holds it.
    """
    for name, text in texts.items():
        if "\x00" in (text or ""):
            raise refused(name, "contains NUL", "text")

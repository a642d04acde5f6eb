"""A cursor is the place of the last one shown, so pages never shift.

It is of one order and of one set of filters: with others it would be a place in another list.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from rgcontract.sorting import SORTS, Order
from rgservice.http.paging import NOT_OURS, refused
from rgstore.ordering import Place

LONGEST = 2000
"""Characters of one: an order by owner holds a name of up to 200."""
_ALLOWED = "next_cursor of a page"


def encoded(order: Order, filters: Mapping[str, Any], place: Place) -> str:
    """The cursor of a place."""
    return base64.urlsafe_b64encode(
        to_json([str(order), _digest(filters), place.value, place.name])
    ).decode()


def decoded(cursor: str, order: Order, filters: Mapping[str, Any]) -> Place:
    """The place of a cursor.

    Raises:
        InvalidQuery: it is not one of ours, or of another order or other filters.
    """
    try:
        text = base64.b64decode(cursor.encode(), altchars=b"-_", validate=True)
        of, narrowed, *_ = TypeAdapter(list[Any]).validate_json(text)
        if isinstance(of, str) and of != str(order):
            raise refused(
                "cursor", f"is of a list in the order {of}", f"next_cursor of one in {order}"
            )
        if narrowed != _digest(filters):
            raise refused("cursor", "is of a list with other filters", "the filters that it had")
        _, _, value, name = _form(order).validate_json(text)
    except (binascii.Error, ValueError, ValidationError) as error:
        raise refused("cursor", NOT_OURS, _ALLOWED) from error
    return Place(value, name)


def _form(order: Order) -> TypeAdapter[Any]:
    """What a cursor of an order holds."""
    parts: Any = (str, str, order.by.type | None, SORTS["id"].type)
    return TypeAdapter(tuple[parts])


def _digest(filters: Mapping[str, Any]) -> str:
    asked = {name: value for name, value in filters.items() if value is not None}
    return sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]

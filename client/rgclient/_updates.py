"""What `update` changes: the names and values of one call, checked before they are sent."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from rgclient._errors import UnknownField
from rgclient._plain import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rgcontract.updates import Update


def changed(kind: type[Update], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a change.

    Raises:
        UnknownField: there is no such thing to change.
        InvalidValue: a value is nothing that JSON can carry.
    """
    for name in changes:
        if name not in kind.model_fields:
            close = difflib.get_close_matches(name, kind.model_fields, n=1)
            known = f"did you mean {close[0]}?" if close else f"{', '.join(kind.model_fields)} can"
            raise UnknownField(f"{name!r} cannot be changed; {known}")
    return {name: plain(value, name) for name, value in changes.items()}

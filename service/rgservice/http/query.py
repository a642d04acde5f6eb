"""Query parameters: what a route does not declare is refused, with the names of those it does."""

from __future__ import annotations

import difflib
from collections import Counter
from typing import Any
from urllib.parse import parse_qsl

from fastapi import Request

from rgcontract import FieldProblem
from rgcontract.problem import MOST_NAMED
from rgservice.http.errors import InvalidQuery

_LONGEST_NAME = 80


async def known_query(request: Request) -> None:
    """Refuse parameters that the route does not know, or that come twice, or are no text.

    A dependency of every router. What a route knows is what `/openapi.json` says of it, which
    FastAPI derives from the route's own parameters: there is no second list.

    Raises:
        InvalidQuery: with the parameter, the nearest that there is, and all that there are.
    """
    text = request.scope["query_string"].decode("ascii", "surrogateescape")
    # what is not UTF-8, encoded or as it is, becomes lone surrogates instead of being replaced
    given = parse_qsl(text, keep_blank_values=True, errors="surrogateescape")
    if not given:
        return
    several = _declared(request)
    times = Counter(name for name, _ in given)
    unknown = [name for name in times if name not in several]
    refused = [_unknown(name, several) for name in unknown[:MOST_NAMED]]
    refused += [
        FieldProblem(field=name, message=f"is given {times[name]} times", allowed="once")
        for name, may_repeat in several.items()
        if times[name] > 1 and not may_repeat
    ]
    refused += [
        FieldProblem(field=name, message="is not UTF-8", allowed="UTF-8, percent-encoded")
        for name, value in given
        if name in several and _not_text(value)
    ]
    if refused:
        raise InvalidQuery.of(refused, more=len(unknown) - len(unknown[:MOST_NAMED]))


def _declared(request: Request) -> dict[str, bool]:
    """Query parameter of the route -> whether it may come several times."""
    operations = request.app.openapi()["paths"].get(request.scope["route"].path_format, {})
    found = operations.get(request.method.lower(), {}).get("parameters", [])
    return {one["name"]: _is_list(one["schema"]) for one in found if one["in"] == "query"}


def _is_list(schema: dict[str, Any]) -> bool:
    return schema.get("type") == "array" or any(map(_is_list, schema.get("anyOf", [])))


def _unknown(name: str, known: dict[str, bool]) -> FieldProblem:
    shown = name[:_LONGEST_NAME].encode("utf-8", "backslashreplace").decode()
    close = difflib.get_close_matches(shown.lower(), known, n=1, cutoff=0.65)
    message = "unknown query parameter" + (f"; did you mean {close[0]}?" if close else "")
    return FieldProblem(field=shown, message=message, allowed=", ".join(known) or "none")


def _not_text(value: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in value)

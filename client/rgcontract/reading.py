"""Reading an answer of a server that may know more than this contract, and keeping all of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import BaseModel
from pydantic_core import to_json, to_jsonable_python

from rgcontract.unknown import READING, Unknown, UnknownChain

Answer = TypeVar("Answer", bound=BaseModel)


def read(answer: type[Answer], text: str | bytes) -> Answer:
    """An answer out of its JSON; unknown fields are kept, and unknown values as `Unknown`.

    Raises:
        ValidationError: it lacks what this contract needs, or is something else.
    """
    return answer.model_validate_json(text, extra="allow", context=READING)


def unknown_in(answer: BaseModel) -> Iterator[str]:
    """What this contract does not know of an answer, in a few words each; some come repeatedly."""
    kind = type(answer).__name__
    if isinstance(answer, UnknownChain):
        yield f"chains of family {str(answer.family)!r}"
        return
    for name in answer.model_extra or {}:
        yield f"field {kind}.{name}"
    for name in type(answer).model_fields:
        value = getattr(answer, name)
        for part in _parts(value):
            yield from unknown_in(part)
        values = value if isinstance(value, tuple) else (value,)
        if any(isinstance(one, Unknown) for one in values):
            yield f"{kind}.{name} {value!r}"


def as_json(answer: BaseModel, *, indent: int | None = None) -> str:
    """What `read` reads again: all of the answer, what this contract does not know included."""
    return to_json(_plain(answer), indent=indent).decode()


def _plain(value: Any) -> Any:
    """An answer, or a part of it, as plain values: with what is kept beside its fields."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields.items()
        told = {field.alias or name: _plain(getattr(value, name)) for name, field in fields}
        return {**told, **(value.model_extra or {})}
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return to_jsonable_python(value)


def _parts(value: Any) -> list[BaseModel]:
    """The models in a field: a field holds models or plain values, never both."""
    if isinstance(value, BaseModel):
        return [value]
    inside = list(value.values()) if isinstance(value, dict) else value
    if isinstance(inside, list | tuple) and inside and isinstance(inside[0], BaseModel):
        return list(inside)
    return []

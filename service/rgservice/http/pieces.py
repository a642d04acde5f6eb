"""JSON in pieces: no more of an answer is held than the one that is being written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_json

Value = bytes | Iterable[bytes]
"""JSON: whole, or in pieces."""


def text(value: Any) -> bytes:
    """A small value as strict JSON."""
    if isinstance(value, BaseModel):
        return value.model_dump_json(by_alias=True).encode()
    return to_json(value, inf_nan_mode="null")


def an_object(members: Iterable[tuple[str, Value]]) -> Iterator[bytes]:
    """A JSON object of members, each taken when the one before is written."""
    return _within(b"{}", ((text(name) + b":", value) for name, value in members))


def a_list(items: Iterable[Value]) -> Iterator[bytes]:
    """A JSON list of items, each taken when the one before is written."""
    return _within(b"[]", ((b"", value) for value in items))


def beside(value: BaseModel, name: str, member: Value) -> Iterator[bytes]:
    """A model as JSON, with this value of one of its fields, which has others besides."""
    yield value.model_dump_json(by_alias=True, exclude={name}).encode()[:-1] + b","
    yield text(name) + b":"
    yield from _pieces(member)
    yield b"}"


def _within(ends: bytes, parts: Iterable[tuple[bytes, Value]]) -> Iterator[bytes]:
    yield ends[:1]
    for number, (lead, value) in enumerate(parts):
        yield b"," + lead if number else lead
        yield from _pieces(value)
    yield ends[1:]


def _pieces(value: Value) -> Iterable[bytes]:
    return (value,) if isinstance(value, bytes) else value

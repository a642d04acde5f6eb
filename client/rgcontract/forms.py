"""Specs outlive their code: what came after the first schema is left out where it is as before.

A spec is kept and hashed without the fields of later schemas whose value means "as before", so that
neither its name nor its text changes when there are more fields, and code that knows less reads
whatever uses nothing new. What is read without such a field has it as before, whatever the default.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal, TypeVar

from pydantic import BaseModel

from rgcontract.about import FIRST, About, abouts
from rgcontract.section import Section, sections

S = TypeVar("S", bound=Section)
FORM = "schema"
"""The field of a spec that says in which form it is written."""


def kept(section: Section, mode: Literal["python", "json"] = "python") -> dict[str, Any]:
    """A spec, or a part of one, as it is kept: in the least form that says the same."""
    written = section.model_dump(mode=mode)
    written.pop(FORM, None)
    for name in below(type(section)):
        written[name] = kept(getattr(section, name), mode)
    for name, row in _later(type(section)).items():
        if row.is_as_before(getattr(section, name)):
            del written[name]
    return written


def schema_of(section: Section) -> int:
    """The least schema that reads a spec, or a part of one."""
    rows = abouts(type(section))
    values = {name: getattr(section, name) for name in rows}
    return max(
        FIRST,
        *(schema_of(values[name]) for name in below(type(section))),
        *(row.since for name, row in rows.items() if not row.is_as_before(values[name])),
        *(row.schema_of(values[name]) for name, row in rows.items()),
    )


def in_full(section: S, form: int) -> S:
    """What was read, in which fields that came after its form and were not given are as before."""
    changed: dict[str, Any] = {
        name: row.as_before
        for name, row in _later(type(section)).items()
        if row.since > form and name not in section.model_fields_set
    }
    for name, models in below(type(section)).items():
        if max(map(newest, models)) > form:
            changed[name] = in_full(getattr(section, name), form)
    return section.model_copy(update=changed) if changed else section


@cache
def newest(model: type[BaseModel]) -> int:
    """The schema in which the last of its fields, or of their values, came; those below too."""
    rows = abouts(model).values()
    own = [number for row in rows for number in (row.since, *row.new_values.values())]
    return max(FIRST, *own, *(newest(part) for parts in below(model).values() for part in parts))


@cache
def below(model: type[BaseModel]) -> dict[str, tuple[type[BaseModel], ...]]:
    """Name -> the models of a field that is a section; of a chain, one for each family."""
    found = {name: sections(field.annotation) for name, field in model.model_fields.items()}
    return {name: tuple(parts) for name, parts in found.items() if parts}


@cache
def _later(model: type[BaseModel]) -> dict[str, About]:
    return {name: row for name, row in abouts(model).items() if row.since > FIRST}

"""The fields of a model by name and path, and the nearest names to a misspelt one."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel

from rgcontract.synonyms import meant

LONGEST_NAME = 80
"""What is longer is nobody's misspelling."""


def children(model: type[BaseModel], path: str) -> list[str]:
    """Names of the fields directly under a dotted path (`""` for the top)."""
    found = {name for at, name in _walk(model, "") if at == path}
    return sorted(found)


def paths(model: type[BaseModel], name: str) -> list[str]:
    """Every dotted path whose last step is `name`."""
    return sorted({f"{at}.{leaf}" if at else leaf for at, leaf in _walk(model, "") if leaf == name})


def nearest(name: str, model: type[BaseModel], *, without: Collection[str] = ()) -> list[str]:
    """Up to three dotted paths of what `name` may mean: the field it is a word for, or the like.

    Args:
        name: what was written.
        model: whose fields are looked through.
        without: paths that would be no help.
    """
    if len(name) > LONGEST_NAME:
        return []
    path = meant(name)
    if path is not None and path not in without and path in paths(model, path.rpartition(".")[2]):
        return [path]
    places: dict[str, set[str]] = {}
    for at, leaf in _walk(model, ""):
        path = f"{at}.{leaf}" if at else leaf
        if path not in without:
            places.setdefault(leaf, set()).add(path)
    close = difflib.get_close_matches(name, sorted(places), n=3, cutoff=0.6)
    return [path for match in close for path in sorted(places[match])][:3]


def nearest_by_section(name: str, model: type[BaseModel]) -> list[str]:
    """Of each section the path of the field that is spelt most like `name`, however little."""
    sections = [top for top in children(model, "") if children(model, top)]
    return [
        f"{section}.{near}"
        for section in sections
        for near in difflib.get_close_matches(name, children(model, section), n=1, cutoff=0.0)
    ]


def allowed(model: type[BaseModel], path: str) -> str | None:
    """What the field at a dotted path accepts, in words; None if there is no such field."""
    parent, _, name = path.rpartition(".")
    if name.isdigit():  # an item of a list: the field is the list
        return allowed(model, parent)
    for at, section in _owners(model, ""):
        if at == parent and name in section.model_fields:
            schema = _schema(section)
            return _words(schema["properties"][name], schema.get("$defs", {}))
    return None


def _words(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        return " or ".join(_words(option, definitions) for option in schema["anyOf"])
    if "oneOf" in schema or schema.get("type") == "object":
        return "an object"
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    if schema["type"] == "array":
        least, most = schema.get("minItems", 0), schema.get("maxItems", "any number")
        return f"a list of {least} to {most} of: {_words(schema['items'], definitions)}"
    signs = {
        "minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<",
        "minLength": "length >=", "maxLength": "length <=", "pattern": "matching",
    }  # fmt: skip
    bounds = [f"{sign} {schema[key]}" for key, sign in signs.items() if key in schema]
    return f"{schema['type']} {', '.join(bounds)}".strip()


@cache
def _schema(section: type[BaseModel]) -> dict[str, Any]:
    return section.model_json_schema()


@cache
def _walk(model: type[BaseModel], at: str) -> list[tuple[str, str]]:
    """(parent path, field name) of every field, sections included, all members of unions."""
    return [(path, name) for path, section in _owners(model, at) for name in section.model_fields]


@cache
def _owners(model: type[BaseModel], at: str) -> list[tuple[str, type[BaseModel]]]:
    """(path, model) of a model and of every section below it, all members of unions."""
    found = [(at, model)]
    for name, field in model.model_fields.items():
        for section in _sections(field.annotation):
            found += _owners(section, f"{at}.{name}" if at else name)
    return found


def _sections(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [section for part in get_args(annotation) for section in _sections(part)]

"""The fields of a model: one row for each, by name and path; the nearest to a misspelt name."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from pydantic import BaseModel

from rgcontract.about import Decides, about
from rgcontract.section import sections
from rgcontract.status import SHOWN
from rgcontract.synonyms import meant

BOUNDS = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")
LONGEST_NAME = 80
"""What is longer is nobody's misspelling."""


@dataclass(frozen=True)
class FieldRow:
    """All that is to be said of a field that has no fields itself."""

    path: str
    """Dotted: `model.depth`."""
    type: str
    """`integer`, `number`, `string`, `boolean` or `array`."""
    optional: bool
    """Whether null is a value."""
    required: bool
    """Whether it has no default."""
    default: Any
    """As JSON; null if it has none."""
    allowed: str
    """What it accepts, in words."""
    bounds: dict[str, float]
    """The same of a number, by the words of JSON Schema."""
    choices: tuple[str, ...]
    """The values of an enumeration, or of the items of a list of such; else none."""
    unit: str
    """Of its values; empty for a pure number or a word."""
    symbol: str
    """What formulas call it; empty if nothing."""
    meaning: str
    """What it is."""
    since: int
    """The schema in which it came."""
    decides: Decides
    """What of a run depends on it."""
    shared: bool
    """Whether the members of a fleet have it in common."""
    column: bool
    """Whether a list shows it: experiments have a column of it, to filter and sort by."""
    families: tuple[str, ...]
    """Of a field of a chain, the families that have it."""

    @property
    def section(self) -> str:
        """Where it stands: `model`; empty for the top."""
        return self.path.rpartition(".")[0]

    @property
    def name(self) -> str:
        """Its name in its section."""
        return self.path.rpartition(".")[2]


@cache
def rows(model: type[BaseModel]) -> tuple[FieldRow, ...]:
    """The row of every field of a model, in their order; one a path, also of several families."""
    found: dict[str, list[FieldRow]] = {}
    for owner in _owners(model):
        for name, field in owner.model.model_fields.items():
            if not sections(field.annotation):
                row = _row(owner, name)
                found.setdefault(row.path, []).append(row)
    return tuple(_of_all_families(alike) for alike in found.values())


def _of_all_families(alike: list[FieldRow]) -> FieldRow:
    """One row of those of one path: that of the default family, with the values of all."""
    first = alike[0]
    choices = tuple(dict.fromkeys(choice for row in alike for choice in row.choices))
    families = tuple(family for row in alike for family in row.families)
    allowed = first.allowed if choices == first.choices else ", ".join(choices)
    return replace(first, choices=choices, families=families, allowed=allowed)


def _row(owner: _Owner, name: str) -> FieldRow:
    field, schema = owner.model.model_fields[name], _schema(owner.model)
    described, definitions = schema["properties"][field.alias or name], schema.get("$defs", {})
    options = described.get("anyOf", [described])
    value = [one for one in options if one.get("type") != "null"][-1]  # of seeds, the list
    value = definitions[value["$ref"].rpartition("/")[2]] if "$ref" in value else value
    family = owner.model.model_fields.get("family")
    said = about(field)
    own = owner.own if said.own is None else said.own
    decides = said.decides or owner.decides
    return FieldRow(
        path=owner.at(field.alias or name),
        type=value["type"],
        optional={"type": "null"} in options,
        required=field.is_required(),
        default=described.get("default"),
        allowed=_words(described, definitions),
        bounds={bound: value[bound] for bound in BOUNDS if bound in value},
        choices=_choices(value, definitions),
        unit=said.unit,
        symbol=said.symbol,
        meaning=" ".join((field.description or "").split()),
        since=said.since,
        decides=decides,
        shared=decides is Decides.WEIGHTS and not own,
        column=owner.at(field.alias or name) in SHOWN.values(),
        families=() if family is None else (str(family.default),),
    )


def _choices(value: dict[str, Any], definitions: dict[str, Any]) -> tuple[str, ...]:
    if "$ref" in value:
        value = definitions[value["$ref"].rpartition("/")[2]]
    if value["type"] == "array":
        return _choices(value["items"], definitions)
    return tuple(value.get("enum", [value["const"]] if "const" in value else ()))


def children(model: type[BaseModel], path: str) -> list[str]:
    """Names of the fields directly under a dotted path (`""` for the top)."""
    found = {name for at, name in _walk(model) if at == path}
    return sorted(found)


def paths(model: type[BaseModel], name: str) -> list[str]:
    """Every dotted path whose last step is `name`."""
    return sorted({f"{at}.{leaf}" if at else leaf for at, leaf in _walk(model) if leaf == name})


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
    for at, leaf in _walk(model):
        path = f"{at}.{leaf}" if at else leaf
        if path not in without:
            places.setdefault(leaf, set()).add(path)
    close = difflib.get_close_matches(name, sorted(places))
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
    for owner in _owners(model):
        schema = _schema(owner.model)
        if owner.path == parent and name in schema["properties"]:
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
def _walk(model: type[BaseModel]) -> list[tuple[str, str]]:
    """(parent path, field name) of every field, sections included, all members of unions."""
    return [
        (owner.path, field.alias or name)
        for owner in _owners(model)
        for name, field in owner.model.model_fields.items()
    ]


@dataclass(frozen=True)
class _Owner:
    """A model with fields, and what the section that it is says for all of them."""

    path: str
    model: type[BaseModel]
    own: bool = False
    decides: Decides = Decides.NOTHING

    def at(self, name: str) -> str:
        """The path of one of its fields."""
        return f"{self.path}.{name}" if self.path else name

    def below(self) -> list[_Owner]:
        """The sections in it, of a union all members, the default first; and those below them."""
        found = []
        for name, field in self.model.model_fields.items():
            said, default = about(field), field.default_factory
            parts = sorted(sections(field.annotation), key=lambda part: part is not default)
            for part in parts:
                own = self.own if said.own is None else said.own
                owner = _Owner(self.at(name), part, own, said.decides or self.decides)
                found += [owner, *owner.below()]
        return found


@cache
def _owners(model: type[BaseModel]) -> list[_Owner]:
    """A model and every section below it."""
    top = _Owner("", model)
    return [top, *top.below()]

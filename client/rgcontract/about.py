"""What the declaration of a spec's field says of it beside its type, default and bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

FIRST = 1
"""The schema of the first specs."""


class Decides(StrEnum):
    """What a part of a spec decides. Every field of `ExperimentSpec` says it for all below it."""

    WEIGHTS = "weights"
    """The trained weights, and with them all that is read off."""
    NUMBERS = "numbers"
    """The numbers that are read off the weights."""
    NOTHING = "nothing"
    """No number of a run."""


class _Absent:
    """In place of a value, where None is one."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()


@dataclass(frozen=True, kw_only=True)
class About:
    """The row of a field: `depth: Annotated[int, About(symbol="L")] = 8`.

    Attributes:
        symbol: what formulas call it.
        unit: of its values; "" for a pure number or a word.
        since: the schema in which it came.
        as_before: the value under which code that does not know the field does the same. With it
            the field is no part of a canonical form, and a stored spec without the field has it.
            What came after the first schema has one; it need not be the default.
        new_values: of an enumeration, the values that came after the field, with their schema.
        own: whether the members of a fleet may differ in it; None for what its section says.
        decides: what the section, or the field at the top, decides.
        derived: whether linear algebra fills it in, so that it is no part of an identity.
    """

    symbol: str = ""
    unit: str = ""
    since: int = FIRST
    as_before: Any = ABSENT
    new_values: Mapping[str, int] = field(default_factory=dict, hash=False)
    own: bool | None = None
    decides: Decides | None = None
    derived: bool = False

    def __post_init__(self) -> None:
        if self.since > FIRST and self.as_before is ABSENT:
            raise ValueError(
                f"a field of schema {self.since} needs as_before: the value under which code of "
                "schema 1 does the same"
            )

    def is_as_before(self, value: Any) -> bool:
        """Whether code that does not know the field does the same."""
        return value == self.as_before and type(value) is type(self.as_before)

    def schema_of(self, value: Any) -> int:
        """The least schema that has a value, or all of several."""
        given = value if isinstance(value, tuple) else (value,)
        known = [self.new_values.get(one, FIRST) for one in given if isinstance(one, str)]
        return max(known, default=FIRST)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Unit and symbol stand in the description of the API."""
        described = handler(schema)
        said = {"x-unit": self.unit, "x-symbol": self.symbol}
        return {**described, **{name: text for name, text in said.items() if text}}


_NOTHING_SAID = About()


def about(info: FieldInfo) -> About:
    """The row of a field."""
    found = [item for item in info.metadata if isinstance(item, About)]
    return found[0] if found else _NOTHING_SAID


@cache
def abouts(model: type[BaseModel]) -> dict[str, About]:
    """The rows of a model's fields by name."""
    return {name: about(info) for name, info in model.model_fields.items()}


@dataclass(frozen=True)
class Shows:
    """The row of a column of a list: `depth: Annotated[int, Shows("model.depth")]`.

    Attributes:
        path: of the field of a spec that it shows, dotted.
    """

    path: str

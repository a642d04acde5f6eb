"""What only a newer server knows: kept as it was told, so that a client of today goes on.

Strict in, lenient out. Whoever sends is refused what the contract does not have. Whoever reads
says so with `READING`, and a value of an enumeration, or a spec, that this contract does not know
becomes the nearest thing to it instead of an error.
"""

from __future__ import annotations

import json
from enum import Enum
from functools import partial
from typing import Annotated, Any, Final, TypeVar, cast

from pydantic import BaseModel, GetCoreSchemaHandler, TypeAdapter, ValidationError, ValidationInfo
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from rgcontract.chains import CHAIN_OF, DEFAULT_FAMILY, Chain
from rgcontract.section import Section

READING: Final = {"reading": True}
"""Context of a validation that reads an answer: what is not known is kept."""

T = TypeVar("T")
Named = TypeVar("Named", bound=Enum)
Model = TypeVar("Model", bound=BaseModel)


class Unknown(str):
    """A value that this contract does not have: a text, which compares and prints as one."""

    __slots__ = ()

    @property
    def value(self) -> str:
        """As that of a member of an enumeration."""
        return str(self)

    @property
    def is_final(self) -> bool:
        """False: a state that nobody here knows is not known to be the end of anything."""
        return False


def as_told(kind: type[Named], text: str) -> Named:
    """The member of an enumeration that a text is, else the text, `Unknown`; as `OrAsTold` types.

    Args:
        kind: the enumeration.
        text: what another release may have written.
    """
    try:
        return kind(text)
    except ValueError:
        return cast("Named", Unknown(text))


class UnknownChain(Chain):
    """A chain of a family that this contract does not have; its own fields are in `model_extra`."""

    family: Any
    """Its name."""
    n_states: Any = None
    corr_len: Any = None


class _OrAsTold:
    """Beside the type of a field: what does not fit it is kept, where an answer is read.

    In JSON Schema it stands for nothing: what a server of today answers is the type itself.
    """

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        kept = core_schema.with_info_plain_validator_function(partial(_kept, source))
        return core_schema.union_schema([handler(source), kept], mode="left_to_right")


OrAsTold = Annotated[T, _OrAsTold()]
"""The type of a field of an answer that a newer server may fill otherwise: a member of an
enumeration, or else `Unknown`; a spec, or else the parts of it that are known."""


def _kept(kind: type, told: Any, info: ValidationInfo) -> Any:
    if issubclass(kind, Enum) and isinstance(told, str):
        if info.context is READING:
            return Unknown(told)
        if isinstance(told, Unknown):  # who makes the answer has read it so
            return told
    if info.context is READING and issubclass(kind, Section) and isinstance(told, dict):
        return _as_told(kind, told)
    raise PydanticCustomError("not_of_this_contract", "does not fit this contract")


def _as_told(model: type[Model], told: dict[str, Any]) -> Model:
    """A model field by field: validated where that is possible, as it was told where not."""
    names = {field.alias or name: name for name, field in model.model_fields.items()}
    found = {
        names[key]: _part(model.model_fields[names[key]], value)
        for key, value in told.items()
        if key in names
    }
    made = model.model_construct(**found)
    extra = {key: value for key, value in told.items() if key not in names}
    object.__setattr__(made, "__pydantic_extra__", extra)
    return made


def _part(field: FieldInfo, told: Any) -> Any:
    adapter: TypeAdapter[Any] = TypeAdapter(field.rebuild_annotation())
    try:
        return adapter.validate_json(json.dumps(told), extra="allow", context=READING)
    except ValidationError:
        section = _section(field, told)
        return _raw(told) if section is None else _as_told(section, told)


def _section(field: FieldInfo, told: Any) -> type[Section] | None:
    """The class of a section of a spec; None for a field that is a plain value."""
    kind: Any = field.annotation
    if isinstance(kind, type):
        return kind if issubclass(kind, Section) and isinstance(told, dict) else None
    if isinstance(told, dict):  # the chain, a union of its families
        return CHAIN_OF.get(told.get("family", DEFAULT_FAMILY), UnknownChain)
    return None


def _raw(told: Any) -> Any:
    """As it came; texts as unknown values, lists unchangeable as all of a spec is."""
    if isinstance(told, list):
        return tuple(_raw(item) for item in told)
    return Unknown(told) if isinstance(told, str) else told

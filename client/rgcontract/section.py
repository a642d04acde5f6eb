"""The base of every part of a spec, and seeds: what several parts share."""

from __future__ import annotations

from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

MAX_SEEDS = 64
MAX_SEED = 2**31 - 1
SEEDS_ALLOWED = f"how many (1 to {MAX_SEEDS}), or a list of distinct seeds (0 to {MAX_SEED})"


UNKNOWN_FIELD = "unknown_field"
"""Kind of error: a field that none of the `families` has."""
_MOST_SHOWN = 200


def shown(value: Any) -> str:
    """A refused value as a message shows it."""
    return clipped(repr(value))


def clipped(text: str) -> str:
    """A text that was sent: whole if it is short, its beginning if it is not."""
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def conflict(field: str, reason: str, allowed: str) -> PydanticCustomError:
    """A field that is well formed but does not go with the others."""
    context = {"field": field, "reason": reason, "allowed": allowed}
    return PydanticCustomError("field_conflict", "{reason}; allowed: {allowed}", context)


class Section(BaseModel):
    """Base of every part of a spec: frozen, strict, closed, finite."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        allow_inf_nan=False,
        validate_default=True,
        use_attribute_docstrings=True,
        serialize_by_alias=True,
    )

    @property
    def extra(self) -> dict[str, Any]:
        """In an answer of a newer server, the fields that this contract does not have."""
        return self.model_extra or {}


def sections(annotation: object) -> list[type[BaseModel]]:
    """The models in the type of a field: the section that it is, of a chain one for each family."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [section for part in get_args(annotation) for section in sections(part)]


def _which_seeds(value: Any) -> Any:
    """3 means seeds 0, 1, 2; a list is put in order. The field itself checks each seed."""
    if type(value) is int and 1 <= value <= MAX_SEEDS:
        return tuple(range(value))
    if isinstance(value, list | tuple) and value and all(type(seed) is int for seed in value):
        if len(set(value)) < len(value):
            raise conflict("", f"{shown(list(value))} has a seed twice", "distinct seeds")
        return tuple(sorted(value))
    raise conflict("", "is neither a count nor a list of seeds", SEEDS_ALLOWED)


Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]
_HowMany = Annotated[int, Field(ge=1, le=MAX_SEEDS)]
_Which = Annotated[list[Seed], Field(min_length=1, max_length=MAX_SEEDS)]
Seeds = Annotated[
    tuple[Seed, ...],
    Field(min_length=1, max_length=MAX_SEEDS),
    BeforeValidator(_which_seeds, json_schema_input_type=_HowMany | _Which),
]

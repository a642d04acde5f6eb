"""A study: a grid of specs, made of a spec whose fields may be lists."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from itertools import product
from typing import Annotated, Any, Self

from pydantic import (
    Field,
    ValidationError,
    ValidationInfo,
    create_model,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from rgcontract.chains import CHAIN_OF, DEFAULT_FAMILY, Family
from rgcontract.fields import children
from rgcontract.networks import has_window
from rgcontract.presets import PRESETS
from rgcontract.problem import CHAIN
from rgcontract.section import MAX_SEEDS, UNKNOWN_FIELD, Section, Seeds, conflict, shown
from rgcontract.spec import SCHEMA, TAG, Device, ExperimentSpec, Form, Priority
from rgcontract.status import RunCounts, State, View
from rgcontract.unknown import OrAsTold

SECTIONS = ("chain", "data", "model", "training", "measurement")
LEAST_TARGET = 1e-6
"""Networks are trained in float32: no more digits of a ratio are known."""
LISTS = frozenset({"seeds", "levels", "eigenvalues", "matrix", "scales"})
"""Fields of a section whose own value may be a list: they do not make a grid."""


class StudyRequest(Section):
    """What is asked for: a spec in which a list in place of a single value makes a grid."""

    preset: str | None = Field(default=None, max_length=40)
    """Start from a preset, such as `paper`; other fields override it."""
    chain: dict[str, Any] = Field(default_factory=dict)
    """As in a spec; a list for any single-valued field."""
    data: dict[str, Any] = Field(default_factory=dict)
    model: dict[str, Any] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)
    measurement: dict[str, Any] = Field(default_factory=dict)
    seeds: Seeds = (0, 1, 2)
    """Training seeds of every experiment: how many, or which."""
    form: Form = Field(default=SCHEMA, alias="schema")
    """The form in which its experiments are written; the newest if not given."""
    name: str | None = Field(default=None, min_length=1, max_length=200)
    """A name for people."""
    tags: tuple[Annotated[str, Field(json_schema_extra={"pattern": TAG})], ...] = Field(
        default=(), max_length=16, fail_fast=True
    )
    """Words to find its experiments by."""
    priority: Priority = 0
    """Larger goes first."""
    device: Device = "any"
    """Kind of device to train on; `any` takes the first worker that is free."""
    target_error: float | None = Field(default=None, ge=LEAST_TARGET, le=1)
    """Add seeds until the standard error of every collapse ratio is below this."""
    max_seeds: int = Field(default=16, ge=1, le=MAX_SEEDS)
    """Most training seeds that `target_error` may lead to."""

    @field_validator("preset")  # `with_preset` has filled in those that it knows, and dropped it
    @classmethod
    def _preset_is_known(cls, name: str | None) -> str | None:
        if name is not None and name not in PRESETS:
            raise conflict("", f"{name!r} is no preset", ", ".join(PRESETS))
        return name

    @field_validator(*SECTIONS)
    @classmethod
    def _fields_are_known(cls, given: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        """Before the grid is looked at: an unknown field is one in every cell of it."""
        known, families = _known(str(info.field_name), given)
        unknown = [name for name in given if name not in known]
        if unknown:
            error = PydanticCustomError(UNKNOWN_FIELD, "unknown field", {"families": families})
            raise ValidationError.from_exception_data(
                cls.__name__, [{"type": error, "loc": (name,), "input": None} for name in unknown]
            )
        return given

    @model_validator(mode="after")
    def _seeds_may_be_added(self) -> Self:
        if self.target_error is not None and self.max_seeds < len(self.seeds):
            raise conflict(
                "max_seeds",
                f"is {self.max_seeds}, and {len(self.seeds)} seeds are given",
                f"{len(self.seeds)} to {MAX_SEEDS}",
            )
        return self

    @model_validator(mode="after")
    def _lists_are_not_empty(self) -> Self:
        for path, values in self.axes().items():
            if not values:
                raise conflict(path, "is an empty list", "at least one value")
            if len({_written(value) for value in values}) < len(values):
                raise conflict(path, f"{shown(values)} has a value twice", "distinct values")
        return self

    def axes(self) -> dict[str, list[Any]]:
        """The fields that are lists, by dotted path, in the order of the sections."""
        return {
            f"{section}.{name}": value
            for section in SECTIONS
            for name, value in getattr(self, section).items()
            if isinstance(value, list) and name not in LISTS
        }

    @property
    def size(self) -> int:
        """Experiments of the grid. Its axes are fields of a spec, so it is no very long number."""
        return math.prod(map(len, self.axes().values()))

    def cells(self) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """(values on the axes, body of the submission) of every experiment."""
        axes = self.axes()
        for values in product(*axes.values()):
            cell = dict(zip(axes, values, strict=True))
            body: dict[str, Any] = {
                section: dict(getattr(self, section))
                for section in SECTIONS
                if getattr(self, section)
            }
            for path, value in cell.items():
                section, _, name = path.partition(".")
                body[section][name] = value
            model = body.get("model", {})
            if "model.mixing" in axes and not has_window(model.get("mixing")):
                model.pop("context", None)  # the radius is for the cells that have a window
            shared = {
                "schema": self.form,
                "seeds": list(self.seeds),
                "tags": list(self.tags),
                "priority": self.priority,
                "device": self.device,
            }
            yield cell, {**body, **shared}


def _known(section: str, given: dict[str, Any]) -> tuple[set[str], list[Family]]:
    """The fields that a section may have in some cell; of a chain, with the families it is of."""
    if section != CHAIN:
        return set(children(ExperimentSpec, section)), []
    named = given.get("family", DEFAULT_FAMILY)
    names = named if isinstance(named, list) else [named]
    # the cells say which family there is not
    families = [family for family in Family if family in names] or [*Family]
    return {name for family in families for name in CHAIN_OF[family].model_fields}, families


def _written(value: Any) -> str:
    """A value as text; 7 and 7.0 are one value of a field."""
    return repr(float(value)) if type(value) is int else repr(value)


_OWN = StudyRequest.model_fields.keys() - {*SECTIONS, "seeds", "form"}
STUDY_FIELDS = create_model(
    "StudyFields",
    __base__=ExperimentSpec,
    **{
        name: (field.annotation, field)
        for name, field in StudyRequest.model_fields.items()
        if name in _OWN
    },  # type: ignore[call-overload]  # typed for keywords that are written out
)
"""The fields of a request with those of its sections: for their names, nothing is read into it."""


class StudyMember(View):
    """An experiment of a study."""

    id: str
    spec_hash: str
    cell: dict[str, Any]
    """Its values on the axes of the grid."""
    seeds: list[int] = Field(default_factory=list)
    """Training seeds that the study asks for there, those that `target_error` added included. All
    that follows is of these: others may have asked for more of the same experiment."""
    state: OrAsTold[State]
    unreadable: str | None = None
    """What of it this server cannot read, since another release stored it; null where it can."""
    run_counts: RunCounts
    progress: float
    under_trained: bool | None
    """Null until it is measured."""
    collapse_ratio_error: float | None
    """Standard error of its collapse ratio at level `position` (or `sequence`)."""


class Study(View):
    """A study and how far it is."""

    id: str
    name: str | None
    axes: dict[str, list[Any]]
    state: OrAsTold[State]
    unreadable: str | None = None
    """What of it this server cannot read, since another release stored it; null where it can."""
    progress: float
    """Of all its runs together."""
    run_counts: RunCounts
    seeds: list[int]
    """Training seeds that it is about: those that the request named; or those in `seeds` of the
    query, else all that anybody asked this study for."""
    target_error: float | None
    """Name, target, `max_seeds` and priority are the reader's own; where they have not asked for
    it, those of who asked first."""
    max_seeds: int
    priority: int | None = None
    """Larger goes first; null from a server that does not say it."""
    experiments: list[StudyMember]
    owner: str
    """Who asked first."""
    owners: list[str] = Field(default_factory=list)
    """Whose it is: who wants any of it, or who has asked for it where nobody wants it any more."""
    created_at: datetime
    created: bool = False
    """Whether this request made it."""
    added_runs: int = 0
    """Runs that this request added; the others were there."""


class StudySummary(View):
    """A study in a list."""

    id: str
    name: str | None
    state: OrAsTold[State]
    unreadable: str | None = None
    """What of it this server cannot read, since another release stored it; null where it can."""
    run_counts: RunCounts
    owner: str
    created_at: datetime


class StudyPage(View):
    """A page of a list, newest first."""

    items: list[StudySummary]
    next_cursor: str | None

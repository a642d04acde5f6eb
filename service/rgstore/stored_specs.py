"""Specs as they are kept, and read again by whatever release reads them."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from pydantic import ValidationError

from rgcontract import (
    SCHEMA,
    ExperimentSpec,
    StoredSpec,
    field_problems,
    kept,
)
from rgcontract.about import FIRST, abouts
from rgcontract.forms import below
from rgcontract.status import SHOWN

_SECTIONS = [name for name in below(ExperimentSpec) if abouts(ExperimentSpec)[name].since == FIRST]
"""Sections that every release has stored: what is not there was lost, it is no default."""
_COLUMNS = {name: attrgetter(path) for name, path in SHOWN.items()}


class UnreadableSpecError(Exception):
    """A stored spec that this code cannot read; the message names the fields."""


DAMAGED = (
    UnreadableSpecError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError,
)  # fmt: skip
"""What code trips over that reads a record of another release, or one that is damaged."""


def reason_of(error: Exception) -> str:
    """What is wrong with a record, by what code tripped over: one of `DAMAGED`."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_context=False)[0]
        field = ".".join(map(str, first["loc"]))
        return f"{field}: {first['msg']}" if field else str(first["msg"])
    foreign = isinstance(
        error, KeyError | IndexError | TypeError | AttributeError | ArithmeticError
    )
    return f"{type(error).__name__}: {error}" if foreign else str(error)


def stored_spec(spec: ExperimentSpec) -> dict[str, Any]:
    """The spec as it is kept: without the seeds, which are the runs."""
    return {name: part for name, part in kept(spec, "json").items() if name != "seeds"}


def columns_of(spec: ExperimentSpec) -> dict[str, Any]:
    """What a list shows of a spec, column by column."""
    return {name: value(spec) for name, value in _COLUMNS.items()}


def loaded_spec(stored: dict[str, Any], seeds: Sequence[int]) -> StoredSpec:
    """The spec of a stored experiment with these seeds.

    Lax, since what was stored is plain JSON: 7.0 may come back as 7, a tuple as a list.

    Raises:
        UnreadableSpecError: code of another release stored it, or it is damaged.
    """
    try:
        whole = {**stored, "seeds": tuple(seeds)}
        _check_form(whole.get("schema", SCHEMA))
        spec = StoredSpec.model_validate(whole, strict=False)
        _check_sections(stored)  # what is wrong with those that are there says more
    except UnreadableSpecError:
        raise
    except ValidationError as error:
        found = [
            # nobody mistyped it: what it may have meant is of no use
            f"{one.field}: {one.message.partition('; did you mean')[0]}"
            for one in field_problems(error, ExperimentSpec)
        ]
        raise UnreadableSpecError("; ".join(found)) from error
    except Exception as error:  # whatever our validators trip over in another release's spec
        raise UnreadableSpecError(f"{type(error).__name__}: {error}") from error
    return spec


def _check_sections(stored: dict[str, Any]) -> None:
    lost = [name for name in _SECTIONS if name not in stored]
    if lost:
        raise UnreadableSpecError("; ".join(f"{name}: is not stored" for name in lost))


def _check_form(form: Any) -> None:
    if form not in range(1, SCHEMA + 1):
        raise UnreadableSpecError(f"schema: {form} is none that is read here: 1 to {SCHEMA}")

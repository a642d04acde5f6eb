"""What is kept of a study as JSON, and read again by whatever release reads it."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from rgcontract import Findings
from rgcontract.unknown import READING

_AXES: TypeAdapter[dict[str, list[Any]]] = TypeAdapter(dict[str, list[Any]])
_CELL: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])


def loaded_axes(stored: Any) -> dict[str, list[Any]]:
    """Field -> its values, in the order in which the grid runs over them.

    Raises:
        ValidationError: they are damaged.
    """
    return _AXES.validate_python(stored)


def loaded_cell(stored: Any) -> dict[str, Any]:
    """The values of an experiment on the axes of its study.

    Raises:
        ValidationError: it is damaged.
    """
    return _CELL.validate_python(stored)


def loaded_findings(stored: Any) -> Findings:
    """What a study shows, with what a newer release says besides.

    Raises:
        ValidationError: another release wrote them, or they are damaged.
    """
    return Findings.model_validate(stored, extra="allow", context=READING)

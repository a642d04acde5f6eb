"""The cells of a grid as submissions: a section that is the same in several is read once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from rgcontract import FieldProblem, Submission, field_problems, strictjson
from rgcontract.section import Section
from rgcontract.study import SECTIONS
from rgservice.http.errors import InvalidSpec

_HINTS = get_type_hints(Submission, include_extras=True)
_READERS: dict[str, TypeAdapter[Section]] = {name: TypeAdapter(_HINTS[name]) for name in SECTIONS}


class Cells:
    """Reads the cells of one grid.

    A matrix of one's own takes longer to read than all the rest of a cell, and is in every one.
    """

    def __init__(self) -> None:
        self._read: dict[tuple[str, str], Section | list[FieldProblem]] = {}

    def submission(self, cell: Mapping[str, Any], body: Mapping[str, Any]) -> Submission:
        """A cell as a submission.

        Args:
            cell: its values on the axes, by dotted path.
            body: as it would be sent by itself.

        Raises:
            InvalidSpec: it is none, with its fields.
        """
        sections: dict[str, Section] = {}
        refused: list[FieldProblem] = []
        for name in SECTIONS:
            if name not in body:
                continue
            read = self._section(name, cell, body[name])
            if isinstance(read, list):
                refused += read
            else:
                sections[name] = read
        if refused:
            raise InvalidSpec.of(refused)
        shared = {  # a strict tuple is made of a list in JSON alone
            name: tuple(value) if isinstance(value, list) else value
            for name, value in body.items()
            if name not in SECTIONS
        }
        try:
            return Submission.model_validate({**shared, **sections})
        except ValidationError as error:
            raise InvalidSpec.of(field_problems(error, Submission)) from error

    def _section(
        self, name: str, cell: Mapping[str, Any], value: Any
    ) -> Section | list[FieldProblem]:
        """A section, or what is wrong with it: what tells cells apart is their values on axes."""
        own = {path: one for path, one in cell.items() if path.startswith(f"{name}.")}
        key = name, strictjson.dumps(own)
        if key not in self._read:
            self._read[key] = _read(name, value)
        return self._read[key]


def _read(name: str, value: Any) -> Section | list[FieldProblem]:
    try:
        return _READERS[name].validate_json(strictjson.dumps(value))
    except ValidationError:
        pass
    try:  # again, for places that are counted from the root
        Submission.model_validate_json(strictjson.dumps({name: value}))
    except ValidationError as error:
        return field_problems(error, Submission)
    raise AssertionError(f"a section {name} that is none by itself, and one in a submission")

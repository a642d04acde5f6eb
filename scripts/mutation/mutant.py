"""One small change of one place in the source, as a replacement of bytes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Operator(StrEnum):
    """What is changed."""

    COMPARISON = "comparison"
    ARITHMETIC = "arithmetic"
    BOOLEAN = "boolean"
    CONSTANT = "constant"
    NEGATION = "removed not"
    KEYWORD = "removed keyword argument"
    STATEMENT = "removed statement"
    RAISE = "removed raise"
    LOCK = "removed with"
    DEFAULT = "changed default"
    RETURN = "return None"


@dataclass(frozen=True)
class Mutant:
    """A change of one file.

    Attributes:
        package: directory of the package, as in `PACKAGES`.
        file: of the source, relative to the root.
        start, end: the bytes that go.
        put: the text that comes instead.
        line: of `start`, from 1.
        statement: first line of the innermost statement that holds it.
        function: first line of the body of the function that holds it; None at import time, where
            no test is running.
        scope: dotted names of the classes and functions around it.
        name: what is being defined, where it is a definition: a constant, a field, a function.
        source: the line as it stands, stripped.
        column: of `start`, from 0, without the indent.
    """

    package: str
    file: str
    operator: Operator
    start: int
    end: int
    put: str
    line: int
    statement: int
    function: int | None
    scope: str
    name: str
    source: str
    column: int

    @property
    def id(self) -> str:
        """How it is named on the command line: `file:line:column:operator`, and what it puts."""
        return f"{self.file}:{self.line}:{self.column}:{self.operator.name.lower()}:{self.put[:24]}"

    def applied(self, root: Path) -> bytes:
        """The file with the change in it."""
        old = (root / self.file).read_bytes()
        return old[: self.start] + self.put.encode() + old[self.end :]

    def change(self, root: Path) -> str:
        """The change in words: `a < b` -> `a <= b`."""
        old = (root / self.file).read_bytes()[self.start : self.end].decode()
        return f"{' '.join(old.split())} -> {' '.join(self.put.split()) or 'nothing'}"

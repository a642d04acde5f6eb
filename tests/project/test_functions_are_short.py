"""No function is longer than 70 lines, its docstring included: one that is has steps with names."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from markdown import ROOT

MOST_LINES = 70
FOLDERS = ("client", "service", "worker", "migrations", "scripts", "benchmarks")
LONGER = {
    ("migrations/versions/0001_first_tables.py", "upgrade"): "a table after another, as made first",
    ("benchmarks/gpu/measuring.py", "parts"): "what is timed, one by one, on the same streams",
}
"""File and function -> why it is longer all the same."""


def _functions(text: str) -> Iterator[tuple[str, int]]:
    """Each function of a source with its lines."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield node.name, node.end_lineno - node.lineno + 1


def _long() -> dict[tuple[str, str], int]:
    return {
        (str(path.relative_to(ROOT)), name): lines
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        for name, lines in _functions(path.read_text())
        if lines > MOST_LINES
    }


def test_no_function_is_longer_than_is_allowed_and_those_that_may_be_are() -> None:
    assert _long().keys() == LONGER.keys()


def test_a_function_is_counted_from_its_name_to_its_last_line() -> None:
    source = "class A:\n    async def b(self):\n        def c():\n            pass\n\n        c()\n"
    assert dict(_functions(source)) == {"b": 5, "c": 2}

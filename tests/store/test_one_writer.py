"""States and outcomes: which there are is said once, and a state is written in one file."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import rglab
import rgservice
import rgstore
import rgworker
from rgcontract import Outcome, State
from rgstore.invariants import work

WRITER = Path("rgstore/transitions.py")
PACKAGES = (rglab, rgservice, rgstore, rgworker)
OF_ROWS = (rgstore, rgworker)
"""Packages in which a dict with a state is one of columns; elsewhere it is an answer's."""
WRITES_IN_SQL = re.compile(
    r"\bUPDATE\s+(runs|experiments)\b.*\bSET\b.*\bstate\s*=|"
    r"\bINSERT\s+INTO\s+(runs|experiments)\b",
    re.IGNORECASE | re.DOTALL,
)
SETTERS = ("setattr", "set_committed_value", "set_attribute")


def _files(*packages: Any) -> list[tuple[Path, bool]]:
    found = []
    for package in packages:
        root = Path(next(iter(package.__path__)))
        found += [(path, package in OF_ROWS) for path in sorted(root.rglob("*.py"))]
    return found


def writes_of_states(source: str, *, of_rows: bool = True) -> Iterator[str]:
    """Places in a file that write a state, or look as if they did."""
    for node in ast.walk(ast.parse(source)):
        if _writes(node, of_rows=of_rows):
            assert isinstance(node, ast.expr)
            yield f"line {node.lineno}: {ast.unparse(node)[:80]}"


def _writes(node: ast.AST, *, of_rows: bool) -> bool:
    match node:
        case ast.Attribute(attr="state", ctx=ast.Store() | ast.Del()):
            return True
        case ast.Call(func=called):
            name = getattr(called, "attr", getattr(called, "id", ""))
            if name in SETTERS:
                return any(_says_state(argument) for argument in node.args)
            if name == "values" or name.endswith("Row") or (of_rows and name in {"row", "move"}):
                return any(one.arg == "state" for one in node.keywords) or any(
                    _is_dict_of_states(argument) for argument in node.args
                )
        case ast.Dict(keys=keys) if of_rows:
            # a state that a row is born with is `transitions.NEW`
            pairs = zip(keys, node.values, strict=True)
            return any(_says_state(key) and not _is_new(value) for key, value in pairs if key)
        case ast.Constant(value=str(text)):
            return WRITES_IN_SQL.search(text) is not None
    return False


def _says_state(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value == "state"


def _is_dict_of_states(node: ast.AST) -> bool:
    return isinstance(node, ast.Dict) and any(
        isinstance(key, ast.Attribute) and key.attr == "state" for key in node.keys
    )


def _is_new(node: ast.AST) -> bool:
    return ast.unparse(node) in {"NEW", "literal(NEW.value)"}


@pytest.mark.parametrize(
    "line",
    [
        "run.state = State.DONE",
        "run.state, run.error = State.FAILED, 'x'",
        "setattr(run, 'state', 'done')",
        "set_committed_value(row, 'state', state)",
        "session.execute(update(RunRow).values(state=State.DONE))",
        "session.execute(update(RunRow).values({RunRow.state: State.DONE}))",
        "session.execute(update(RunRow).values({'state': State.DONE}))",
        "session.add(RunRow(state='queued'))",
        "values = {'state': literal(State.QUEUED.value)}",
        "move(session, source, target, state=State.DONE)",
        "session.execute(text('UPDATE runs SET error = NULL, state = :state'))",
        "session.execute(text('insert into experiments (id, state) values (1, 2)'))",
    ],
)
def test_a_write_of_a_state_is_seen(line: str) -> None:
    assert list(writes_of_states(line))


@pytest.mark.parametrize(
    "line",
    [
        "select(RunRow).where(RunRow.state == State.QUEUED)",
        "exact = {row.state: self.state}",
        "values = {'state': NEW}",
        "values = {'state': literal(NEW.value)}",
        "found = run.state",
    ],
)
def test_a_reading_of_a_state_is_not_taken_for_a_write(line: str) -> None:
    assert not list(writes_of_states(line))


def test_the_state_of_a_run_is_written_in_one_file() -> None:
    writers = {
        str(path): list(writes_of_states(path.read_text(), of_rows=of_rows))
        for path, of_rows in _files(*PACKAGES)
        if not path.as_posix().endswith(WRITER.as_posix())
    }
    assert {path: lines for path, lines in writers.items() if lines} == {}


def test_that_file_writes_it() -> None:
    (path,) = (path for path, _ in _files(rgstore) if path.as_posix().endswith(WRITER.as_posix()))
    assert list(writes_of_states(path.read_text()))


NAMES = {*State, *Outcome}
NO_STATES = {(Path("rgstore/invariants/work.py"), work.DONE.name)}
"""(file, text) that is the name of something else."""


def plain_names(source: str) -> list[tuple[int, str]]:
    """(line, text) of the states and outcomes that stand in a file as plain texts."""
    return [
        (node.lineno, node.value)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in NAMES
    ]


@pytest.mark.parametrize("line", ["end(run, 'crashed')", "if run.state == 'done': pass"])
def test_a_state_or_outcome_as_a_plain_text_is_seen(line: str) -> None:
    assert plain_names(line)


def test_states_and_outcomes_are_named_by_their_enumerations() -> None:
    plain = [
        f"{path}:{number}: {text!r}"
        for path, _ in _files(*PACKAGES)
        for number, text in plain_names(path.read_text())
        if (Path(*path.parts[-3:]), text) not in NO_STATES
    ]
    assert plain == []

"""Nothing that is read is run: no pickles, no weights with code in them, no YAML with types."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest
from markdown import ROOT

from rgstore.messages import make_celery

FOLDERS = ("client", "service", "worker", "migrations")
SOURCES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
CALLS = {"eval", "exec", "compile", "__import__"}
LOADERS = {
    ("torch", "load"),
    ("np", "load"),
    ("numpy", "load"),
    ("yaml", "load"),
    ("pd", "read_pickle"),
}
ON_A_PIPE = {"worker/rgworker/wire.py"}
"""Where a connection of `multiprocessing` is used, whose `send` and `recv` pickle."""


def runs(tree: ast.AST) -> Iterator[str]:
    """The places of a module where something that is read may be run."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (one.name for one in names if one.name.split(".")[0] in MODULES)
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in MODULES:
                yield module
            case ast.Call(func=ast.Name(id=name)) if name in CALLS:
                yield f"line {node.lineno}: {name}"
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=name)) if (
                owner,
                name,
            ) in LOADERS:
                yield f"line {node.lineno}: {owner}.{name}"


def pickles(tree: ast.AST) -> Iterator[str]:
    """Where a connection of `multiprocessing` is used as it pickles, or a queue or a pool is."""
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module)) if module.startswith("multiprocessing"):
                yield module
            case ast.Import(names=names):
                yield from (one.name for one in names if one.name.startswith("multiprocessing"))


@pytest.mark.parametrize("text", ["import pickle", "from marshal import loads", "eval(x)",
                                  "import os, dill", "torch.load(f)", "np.load(f)"])  # fmt: skip
def test_what_runs_what_it_reads_is_found(text: str) -> None:
    assert list(runs(ast.parse(text)))


def test_nothing_that_is_read_is_run() -> None:
    found = {str(path): list(runs(ast.parse(path.read_text()))) for path in SOURCES}
    assert {path: places for path, places in found.items() if places} == {}


def test_one_module_has_a_pipe_and_sends_bytes_on_it() -> None:
    using = {
        str(path.relative_to(ROOT))
        for path in SOURCES
        if list(pickles(ast.parse(path.read_text())))
    }
    assert using == ON_A_PIPE
    calls = {
        node.func.attr
        for name in ON_A_PIPE
        for node in ast.walk(ast.parse((ROOT / name).read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func.value) == "self._connection"
    }
    assert calls == {"send_bytes", "recv_bytes", "poll", "close"}


def test_messages_are_json_and_nothing_else() -> None:
    conf = make_celery("redis://127.0.0.1:1").conf
    assert conf.accept_content == ["json"]
    assert conf.task_serializer == "json"
    assert conf.event_serializer == "json"

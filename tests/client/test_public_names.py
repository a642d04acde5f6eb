"""The package shows what it means to show, needs little, and raises one tree of exceptions."""

from __future__ import annotations

import ast
import importlib.metadata
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import rgclient
from rgclient import _errors

PACKAGE = Path(rgclient.__file__).parent
ALLOWED = {"httpx", "pydantic", "platformdirs", "tqdm", "rgclient", "rgcontract"}
LAZY = {"pandas", "matplotlib", "rgfigures"}


def test_all_is_sorted_and_there() -> None:
    assert rgclient.__all__ == sorted(rgclient.__all__)
    assert all(hasattr(rgclient, name) for name in rgclient.__all__)


def test_all_has_every_public_name() -> None:
    public = {
        name
        for name, value in vars(rgclient).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert public == set(rgclient.__all__)


def test_it_says_its_version() -> None:
    assert rgclient.__version__ == importlib.metadata.version("rgclient")
    assert not hasattr(rgclient, "nothing")


def test_every_module_is_private() -> None:
    assert [path.name for path in PACKAGE.glob("*.py") if not path.name.startswith("_")] == []


def test_every_exception_is_shown_and_in_the_tree_that_is_drawn() -> None:
    raised = {
        name: kind
        for name, kind in vars(_errors).items()
        if inspect.isclass(kind) and issubclass(kind, Exception)
    }
    drawn = re.findall(r"── (\w+)", _errors.__doc__ or "")
    assert {"RGLabError", *drawn} == set(raised)
    assert set(raised) <= set(rgclient.__all__)
    assert all(issubclass(kind, rgclient.RGLabError) for kind in raised.values())


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (rgclient.ClientClosed, RuntimeError),
        (rgclient.UnknownField, TypeError),
        (rgclient.AmbiguousField, TypeError),
        (rgclient.InvalidValue, ValueError),
        (rgclient.NotMeasured, KeyError),
        (rgclient.UnreadableResult, ValueError),
        (rgclient.MissingExtra, ImportError),
        (rgclient.WaitTimeout, TimeoutError),
    ],
)
def test_an_exception_is_also_the_builtin_one(kind: Any, builtin: Any) -> None:
    assert issubclass(kind, builtin)


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.name)
def test_a_module_imports_only_what_the_package_needs(path: Any) -> None:
    found = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(path.read_text()))
        for name in _imported(node)
    }
    assert found - set(sys.stdlib_module_names) <= ALLOWED | LAZY


def test_importing_it_loads_no_optional_library() -> None:
    code = "import sys, rgclient; print({'pandas', 'matplotlib', 'numpy'} & set(sys.modules))"
    shown = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, check=True, env={"PYTHONPATH": str(PACKAGE.parent)},
    )  # fmt: skip
    assert shown.stdout.strip() == "set()"


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return []

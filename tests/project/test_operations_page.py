"""docs/operations.md says what is so."""

from __future__ import annotations

import importlib.util
import re
from typing import Any

import pytest
import yaml
from markdown import ROOT, blocks, commands
from typer.core import TyperGroup
from typer.main import get_command

from rglab.cli import app
from rgstore.invariants import INVARIANTS
from rgstore.settings import Settings

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
LINES = [line for block in blocks("docs/operations.md") for line in commands(block)]
VARIABLES = {f"RGLAB_{name.upper()}" for name in Settings.model_fields}
CLIENTS = {"RGLAB_URL", "RGLAB_TOKEN"}


def test_every_variable_is_explained() -> None:
    assert VARIABLES - set(re.findall(r"RGLAB_[A-Z_]+", PAGE)) == set()


def test_every_invariant_is_explained_in_its_own_words() -> None:
    listed = re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE, re.MULTILINE)
    assert [one for one in listed if one[1].endswith(".")] == [
        (one.name, one.says) for one in INVARIANTS
    ]


def test_every_variable_named_is_a_setting() -> None:
    assert set(re.findall(r"RGLAB_[A-Z_]+", PAGE)) - VARIABLES - CLIENTS == set()


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("rglab ")])
def test_every_command_of_rglab_exists(line: Any) -> None:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    assert line.split()[1] in group.commands


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("python ")])
def test_every_module_exists(line: Any) -> None:
    module = line.split()[2]
    found = importlib.util.find_spec(module)
    assert found is not None
    assert found.submodule_search_locations is None or importlib.util.find_spec(
        f"{module}.__main__"
    )


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("docker ")])
def test_every_compose_file_exists(line: Any) -> None:
    files = re.findall(r"-f (\S+)", line)
    assert all(yaml.safe_load((ROOT / name).read_text())["services"] for name in files)


def test_no_line_is_of_a_kind_that_is_not_tested() -> None:
    assert {line.split()[0] for line in LINES} == {"rglab", "python", "docker"}

"""docs/audit.md says what is so."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient
from markdown import ROOT, blocks, commands
from typer.core import TyperGroup
from typer.main import get_command

import rgclient
from rgcontract.audit import Action, AuditEntry
from rglab.cli import app

PAGE = "docs/audit.md"
TEXT = (ROOT / PAGE).read_text(encoding="utf-8")
LINES = [line for block in blocks(PAGE) for line in commands(block)]


def test_the_table_of_actions_is_the_registrys() -> None:
    shown = dict(re.findall(r"^\| `(\w+\.\w+)` \| (.+) \|$", TEXT, re.MULTILINE))
    assert shown == {action.value: action.meaning for action in Action}


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("rglab audit ")])
def test_every_command_exists_with_its_options(line: str) -> None:
    root = get_command(app)
    assert isinstance(root, TyperGroup)
    known = {name for option in root.commands["audit"].params for name in option.opts}
    assert {one for one in line.split() if one.startswith("--")} <= known


def test_every_request_is_answered(api: TestClient) -> None:
    name = api.post("/v1/experiments", json={"chain": {"corr_len": 7}}).json()["id"]
    paths = re.findall(r'"\$RGLAB_URL(\S+)"', TEXT)
    answers = [api.get(path.replace("$ID", name)) for path in paths]
    assert [len(answer.json()["items"]) for answer in answers] == [1, 1]


def test_the_python_says_what_there_is() -> None:
    (block,) = [block for block in blocks(PAGE) if block.language == "python"]
    assert hasattr(rgclient.Experiment, "history")
    assert set(re.findall(r"one\.(\w+)", block.code)) <= set(AuditEntry.model_fields)
    compile(block.code, PAGE, "exec")

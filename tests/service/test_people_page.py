"""docs/people.md says what is so."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from markdown import ROOT, blocks, commands, links
from typer.core import TyperGroup
from typer.main import get_command

from rgcontract import Code
from rgcontract.quotas import Quota
from rgcontract.roles import Role
from rglab.cli import app
from rgstore import people
from rgstore.database import Database
from rgstore.token_text import PATTERN, id_of, new_token
from rgstore.tokens import MOST_TOKENS, make_token

PAGE = "docs/people.md"
TEXT = (ROOT / PAGE).read_text(encoding="utf-8")
LINES = [line for block in blocks(PAGE) for line in commands(block)]
RGLAB = [line.partition("  ")[0] for line in LINES if line.startswith("rglab ")]


def test_the_table_of_roles_is_the_registrys() -> None:
    shown = dict(re.findall(r"^\| `(\w+)` \| (?:also: )?([^|]+) \|$", TEXT, re.MULTILINE))
    below: set[str] = set()
    for role in Role:
        assert shown.pop(role).split("; ") == [one for one in role.may if one not in below]
        below |= {*role.may}
    assert shown == {}


def test_the_table_of_quotas_is_the_registrys() -> None:
    row = r"^\| `(\w+)` \| (.+) \| (.+) \| `(\w+)` \|$"
    assert re.findall(row, TEXT, re.MULTILINE) == [
        (one, one.row.unit, one.row.counted, one.row.code) for one in Quota
    ]


@pytest.mark.parametrize("line", RGLAB)
def test_every_command_exists_with_its_options(line: str) -> None:
    _, group, command, *arguments = line.split()
    root = get_command(app)
    assert isinstance(root, TyperGroup)
    commands_of = root.commands[group]
    assert isinstance(commands_of, TyperGroup)
    known = {name for option in commands_of.commands[command].params for name in option.opts}
    assert {one for one in arguments if one.startswith("--")} <= known


def test_every_request_is_answered(anonymous: TestClient, database: Database) -> None:
    with database.begin() as session:
        people.add_user(session, "root", Role.ADMIN)
        people.add_user(session, "bob", Role.MEMBER)
        token = make_token(session, "root")
    shell = "\n".join(block.code for block in blocks(PAGE) if block.language == "sh")
    asked = re.findall(
        r'(?:-X (\w+) )?"\$RGLAB_URL(/\S+)" -H[^\n]*?(?:\\\n.*-d \'(.*)\')?$', shell, re.MULTILINE
    )
    assert len(asked) == 4
    for named, path, body in asked:
        method = named or ("POST" if body else "GET")
        sent: dict[str, Any] = {"json": json.loads(body)} if body else {}
        answer = anonymous.request(
            method, path, headers={"Authorization": f"Bearer {token}"}, **sent
        )
        assert answer.is_success, answer.text


def test_the_form_of_a_token_is_as_it_says() -> None:
    token = new_token()
    assert f"`{PATTERN}`" in TEXT
    assert len(token) == len("rglab_") + 72
    assert re.fullmatch("t-[0-9a-f]{16}", id_of(token))
    assert f"at most {MOST_TOKENS} valid tokens" in TEXT


def test_its_code_and_its_links_are_there() -> None:
    assert set(re.findall(r"\(`(\w+_\w+)`\)", TEXT)) <= {*Code}
    for page in (PAGE, "docs/security.md"):
        for link in links(page):
            assert (ROOT / "docs" / link.partition("#")[0]).exists(), link

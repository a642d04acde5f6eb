"""What people call things moves no terminal of whoever lists them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from rglab.cli import app

NAME = "a\x9b31m\u202eb\u2028c"
SHOWN = "a\\u009b31m\\u202eb\\u2028c"


@pytest.fixture
def rglab(database_url: str) -> Any:
    """Run `rglab` on a lab in which a token has such a name."""

    def _rglab(*arguments: str) -> str:
        ran = CliRunner().invoke(app, arguments, env={"RGLAB_DATABASE_URL": database_url})
        assert ran.exit_code == 0, ran.output
        return ran.stdout

    _rglab("user", "add", "alice")
    _rglab("token", "create", "--user", "alice", "--name", NAME)
    return _rglab


def test_a_list_has_a_line_for_each(rglab: Any) -> None:
    (line,) = rglab("token", "list").splitlines()
    assert SHOWN in line


def test_so_has_the_log_of_what_was_changed(rglab: Any) -> None:
    added, made = rglab("audit").splitlines()
    assert "user" in added
    assert SHOWN in made


def test_as_json_it_is_the_same_text(rglab: Any) -> None:
    made = json.loads(rglab("audit", "--json").splitlines()[-1])
    assert made["after"]["name"] == NAME

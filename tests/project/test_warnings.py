"""In a process that a test starts a warning is an error, as it is in the tests themselves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from commands import WARNINGS, environment, foreign, shell
from lab_processes import until

from rglab.embedded.children import Child

WARNS = "import warnings; warnings.warn('of old')"


def test_a_child_that_warns_fails(tmp_path: Path) -> None:
    (tmp_path / "warns.py").write_text(WARNS)
    child = Child("warns", ["warns"], log=tmp_path / "log", env={"PYTHONPATH": str(tmp_path)})
    until(lambda: child.exit_code is not None)
    child.reap()
    assert child.exit_code == 1
    assert "UserWarning: of old" in child.tail()


def test_a_pasted_line_that_warns_fails() -> None:
    ran = shell(f'"{sys.executable}" -c "{WARNS}"')
    assert ran.returncode == 1
    assert "UserWarning: of old" in ran.stderr


@pytest.mark.parametrize("given", [None, environment()])
def test_a_command_that_warns_fails(given: dict[str, str] | None) -> None:
    command = [sys.executable, "-c", WARNS]
    ran = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "UserWarning: of old" in ran.stderr


def test_a_program_of_others_may_warn() -> None:
    command = [sys.executable, "-c", WARNS]
    ran = subprocess.run(command, env=foreign(), capture_output=True, text=True, check=False)
    assert ran.returncode == 0
    assert "UserWarning: of old" in ran.stderr


def test_both_have_one_list(pytestconfig: pytest.Config) -> None:
    assert environment()[WARNINGS] == ",".join(pytestconfig.getini("filterwarnings"))

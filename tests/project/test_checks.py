"""`scripts/check` and `.ci/run`, with commands that only write down how they were called."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from markdown import ROOT

STEPS = [
    "ruff format --check .",
    "ruff check .",
    "mypy",
    "lint-imports",
    "deptry .",
    "deptry .",  # of the client, in its own folder
    "python -m scripts.parts",
]


BY_HAND = {name: value for name, value in os.environ.items() if name != "COVERAGE"}


class Recorded:
    """A script in a folder of its own, its commands on PATH replaced by recorders."""

    def __init__(self, directory: Path, script: str, commands: list[str]) -> None:
        self._script = directory / script
        self._script.parent.mkdir()
        shutil.copy(ROOT / script, self._script)
        (directory / "client").mkdir()
        self._log = directory / "calls"
        self._bin = directory / "bin"
        self._bin.mkdir()
        for name in commands:
            self.command(name, "exit 0")

    def command(self, name: str, end: str) -> None:
        """A command that writes down its call and ends so."""
        path = self._bin / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> "{self._log}"\n{end}\n')
        path.chmod(0o755)

    def run(self) -> subprocess.CompletedProcess[str]:
        """Run it."""
        path = f"{self._bin}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            [self._script], env=BY_HAND | {"PATH": path},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    @property
    def calls(self) -> list[str]:
        """The calls in order."""
        return [line.strip() for line in self._log.read_text().splitlines()]


@pytest.fixture
def check(tmp_path: Path) -> Recorded:
    return Recorded(tmp_path, "scripts/check", ["ruff", "mypy", "lint-imports", "deptry", "python"])


@pytest.fixture
def ci(tmp_path: Path) -> Recorded:
    return Recorded(tmp_path, ".ci/run", ["make"])


def test_check_runs_formatter_linter_types_import_contracts_and_dependencies(
    check: Recorded,
) -> None:
    assert check.run().returncode == 0
    assert check.calls == STEPS


@pytest.mark.parametrize("name", ["ruff", "mypy", "lint-imports", "deptry", "python"])
def test_check_fails_if_one_of_them_does_and_names_it(check: Recorded, name: str) -> None:
    check.command(name, "exit 1")
    ran = check.run()
    assert ran.returncode == 1
    assert f"failed: {name}" in ran.stdout


def test_check_runs_the_others_all_the_same(check: Recorded) -> None:
    check.command("ruff", "exit 1")
    check.run()
    assert check.calls == STEPS


def test_ci_runs_the_tests_and_the_checks(ci: Recorded) -> None:
    assert ci.run().returncode == 0
    assert ci.calls == ["make test", "make test-slow", "make check"]


@pytest.mark.parametrize("part", ["test", "test-slow", "check"])
def test_ci_fails_if_a_part_does(ci: Recorded, part: str) -> None:
    ci.command("make", f'test "$1" != {part} || exit 2')
    assert ci.run().returncode != 0


def test_ci_fails_with_its_first_failure(ci: Recorded) -> None:
    ci.command("make", "exit 2")
    assert ci.run().returncode != 0
    assert ci.calls == ["make test"]


@pytest.mark.parametrize("script", ["scripts/check", ".ci/run"])
def test_the_script_can_be_run(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)

"""The targets of the Makefile, as `make --dry-run` shows what they would run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from commands import foreign
from markdown import ROOT

pytestmark = pytest.mark.slow

DESCRIBED = ("pyproject.toml", "client/pyproject.toml", "constraints.txt")
"""What decides the contents of the virtual environment."""
OUTER = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "COVERAGE", "WORKERS"}
"""What a `make` that runs these tests hands on, and would show in what they run."""
BY_HAND = {name: value for name, value in foreign().items() if name not in OUTER}


PYTEST = ".venv/bin/python -m pytest -n logical --maxprocesses 8"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The files that a fresh clone sets itself up from."""
    (tmp_path / "client").mkdir()
    for name in ("Makefile", *DESCRIBED):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def installed(clone: Path) -> Path:
    """A clone that was set up after its files were written."""
    stamp = clone / ".venv" / ".installed"
    stamp.parent.mkdir()
    stamp.touch()
    newest = stamp.stat().st_mtime
    for name in DESCRIBED:
        os.utime(clone / name, (newest - 60, newest - 60))
    return clone


def _would_run(directory: Path, target: str, *settings: str) -> list[str]:
    ran = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", target, *settings],
        cwd=directory,
        env=BY_HAND,
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout.replace("\\\n", " ").splitlines()


@pytest.mark.parametrize(
    ("target", "command"),
    [
        ("demo", ".venv/bin/rglab demo"),
        ("test", f'{PYTEST} -m "not slow"'),
        ("test-slow", f"{PYTEST} -m slow"),
        ("serve", ".venv/bin/rglab up"),
    ],
)
def test_a_target_is_one_command_of_the_virtual_environment(
    installed: Path, target: str, command: str
) -> None:
    assert _would_run(installed, target) == [command]


def test_tests_run_in_as_many_processes_as_one_says(installed: Path) -> None:
    (line,) = _would_run(installed, "test", "WORKERS=1")
    assert " -n 1 " in line


@pytest.mark.parametrize("target", ["test", "test-slow"])
def test_tests_keep_what_they_reached_when_told_to(installed: Path, target: str) -> None:
    (line,) = _would_run(installed, target, "COVERAGE=1")
    assert line.startswith(".venv/bin/python -m coverage run -m pytest ")


def test_what_quick_and_slow_tests_reached_is_one_report(installed: Path) -> None:
    assert _would_run(installed, "coverage") == [
        ".venv/bin/python -m coverage combine --quiet",
        ".venv/bin/python -m coverage report",
    ]


@pytest.mark.parametrize(("setting", "option"), [([], ""), (["UPGRADE=1"], " --upgrade")])
def test_the_lock_is_asked_of_every_python_that_may_be_used(
    installed: Path, setting: Any, option: str
) -> None:
    (line,) = _would_run(installed, "lock", *setting)
    pythons = "python3.14 python3.13 python3.12 python3.11"
    assert line == f".venv/bin/python scripts/lock.py{option} {pythons}"


def test_check_runs_the_script_with_the_tools_of_the_virtual_environment(installed: Path) -> None:
    (line,) = _would_run(installed, "check")
    assert line == f'PATH="{installed}/.venv/bin:$PATH" ./scripts/check'


@pytest.fixture
def with_peers(installed: Path) -> Path:
    """The same, with the packages that RGLab races with."""
    (installed / ".venv" / ".peers").touch()
    return installed


@pytest.mark.parametrize(("setting", "option"), [([], ""), (["QUICK=1"], "--quick")])
def test_bench_is_one_command_of_the_virtual_environment(
    with_peers: Path, setting: Any, option: str
) -> None:
    lines = _would_run(with_peers, "bench", *setting)
    assert [line.strip() for line in lines] == [f".venv/bin/python -m benchmarks {option}".strip()]


def test_bench_first_installs_its_peers_and_runs_without_those_that_fail(installed: Path) -> None:
    install, race = _would_run(installed, "bench")
    assert "-e '.[bench]' && touch .venv/.peers || echo" in install
    assert "-m benchmarks" in race


@pytest.mark.parametrize("target", ["demo", "test", "test-slow", "serve", "check", "bench"])
def test_in_a_fresh_clone_a_target_first_installs_what_it_needs(clone: Path, target: str) -> None:
    lines = _would_run(clone, target)
    made, torch, ours = (
        next(number for number, line in enumerate(lines) if text in line)
        for text in ("-m venv .venv", "-c constraints.txt torch", "-e ./client -e '.[dev]'")
    )
    assert made < torch < ours < len(lines) - 1


def test_an_environment_that_is_up_to_date_is_left_alone(installed: Path) -> None:
    assert not any("pip install" in line for line in _would_run(installed, "test"))


@pytest.mark.parametrize("name", DESCRIBED)
def test_what_it_was_installed_from_has_changed_so_it_is_installed_again(
    installed: Path, name: Any
) -> None:
    os.utime(installed / name)  # now
    stamp = installed / ".venv" / ".installed"
    os.utime(stamp, (stamp.stat().st_mtime - 30,) * 2)
    lines = _would_run(installed, "test")
    assert any("pip install" in line for line in lines)
    assert any(line == "touch .venv/.installed" for line in lines)


def _python(directory: Path, name: str, *, works: bool = True) -> None:
    """A command of this name: a Python that only says that it was asked, or a shim that fails."""
    directory.mkdir(exist_ok=True)
    program = directory / name
    says = 'case "$1" in -c) exit 0 ;; *) echo "$0 $*"; exit 7 ;; esac'
    program.write_text(f"#!/bin/sh\n{says if works else 'exit 127'}\n")
    program.chmod(0o755)


@pytest.fixture
def make(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Run make in a fresh clone where these are the only Pythons."""
    found = tmp_path_factory.mktemp("bin")
    for name in ("sh", "make", "touch", "tail"):
        ours = shutil.which(name)
        assert ours is not None, name
        (found / name).symlink_to(ours)

    def _make(*settings: str, works: tuple[str, ...] = (), fails: tuple[str, ...] = ()) -> Any:
        for name in works:
            _python(found, name)
        for name in fails:
            _python(found, name, works=False)
        return subprocess.run(
            ["make", "test", *settings],
            cwd=clone,
            env={"PATH": str(found)},
            capture_output=True,
            text=True,
            check=False,
        )

    return _make


@pytest.mark.parametrize(
    ("works", "taken"),
    [
        (("python3.13",), "python3.13"),
        (("python3.11", "python3.12"), "python3.12"),
        (("python3.14", "python3.11"), "python3.14"),
    ],
)
def test_the_newest_python_that_is_found_is_taken(make: Any, works: Any, taken: str) -> None:
    ran = make(works=works)
    assert f"setting up .venv with {taken}\n" in ran.stdout
    assert f"/{taken} -m venv .venv --clear" in ran.stdout


def test_a_shim_that_is_there_and_fails_is_passed_over(make: Any) -> None:
    """As pyenv's are for the versions that are not switched on."""
    ran = make(works=("python3.11",), fails=("python3.12", "python3.13", "python3.14"))
    assert "setting up .venv with python3.11\n" in ran.stdout


def test_without_a_python_it_says_what_is_missing(make: Any) -> None:
    ran = make(works=("python3.10",))
    said = (
        "none of python3.14 python3.13 python3.12 python3.11 is a Python 3.11 to 3.14 with venv: "
        "install one, or name one, make PYTHON=/path/to/python"
    )
    assert ran.stdout == f"{said}\n"
    assert ran.returncode != 0


def test_the_python_that_is_named_is_taken(make: Any) -> None:
    ran = make("PYTHON=python3.11", works=("python3.11", "python3.13"))
    assert "setting up .venv with python3.11\n" in ran.stdout


def test_a_python_that_is_named_and_is_none_is_refused(make: Any) -> None:
    ran = make("PYTHON=python3.9", works=("python3.13",))
    assert ran.stdout.startswith("python3.9 is not a Python 3.11 to 3.14 with venv: ")
    assert ran.returncode != 0


@pytest.fixture
def pip(clone: Path) -> Path:
    """A virtual environment whose Python prints warnings, and fails when told to by a file."""
    program = clone / ".venv" / "bin" / "python"
    program.parent.mkdir(parents=True)
    program.write_text(
        "#!/bin/sh\necho WARNING: of no interest >&2\n"
        'case "$*" in *dev*) test ! -e fails || { echo ERROR: disk full >&2; exit 1; } ;; esac\n'
    )
    program.chmod(0o755)
    return clone


def _installation(directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", ".venv/.installed"],
        cwd=directory,
        env=BY_HAND,
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_pip_says_goes_to_a_log_and_steps_are_shown(pip: Path) -> None:
    ran = _installation(pip)
    assert ran.returncode == 0
    assert [line.split()[0] for line in ran.stdout.splitlines()] == ["installing", "installing"]
    assert ran.stderr == ""
    assert "of no interest" in (pip / ".venv" / "install.log").read_text()


def test_an_installation_that_fails_shows_why(pip: Path) -> None:
    (pip / "fails").touch()
    ran = _installation(pip)
    assert ran.returncode != 0
    assert "ERROR: disk full" in ran.stdout
    assert "all that pip said is in .venv/install.log" in ran.stdout
    assert not (pip / ".venv" / ".installed").exists()


def _phony(makefile: str) -> list[str]:
    """The targets that make no file."""
    found = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert found is not None
    return found[1].split()


def test_help_names_every_target(clone: Path) -> None:
    shown = "\n".join(_would_run(clone, "help"))
    phony = _phony((clone / "Makefile").read_text())
    assert [name for name in phony if f"make {name} " not in shown and name != "help"] == []


def test_every_phony_target_has_a_rule(clone: Path) -> None:
    makefile = (clone / "Makefile").read_text()
    phony = _phony(makefile)
    assert [name for name in phony if not re.search(rf"^{name}:", makefile, re.MULTILINE)] == []

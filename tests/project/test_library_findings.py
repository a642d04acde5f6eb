"""What libraries do that one would not guess: scripts are whole, and the page lists them all."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import psutil
import pytest
from markdown import ROOT

from scripts import library_findings

FOLDER = ROOT / "findings"
SCRIPTS = sorted(FOLDER.glob("*.sh"))
OURS = re.compile(r"^\s*(?:import|from)\s+rg\w+", re.MULTILINE)
REQUIREMENT = re.compile(r"([A-Za-z][\w.-]*)(?:\[[\w,-]+\])?(?:==(\d[\w.]*))?")
INSTALLED = re.compile(r"pip install ((?:[^\n\\]|\\\n|\\.)*)")


@pytest.fixture
def ran(tmp_path: Path) -> Any:
    """What becomes of a script with this body."""

    def run(body: Any, **keywords: Any) -> Any:
        script = tmp_path / "example.sh"
        script.write_text(f"#!/usr/bin/env bash\nset -euo pipefail\n{body}\n")
        return library_findings.run(script, **keywords)

    return run


def _requirements(script: Any) -> Any:
    """Names to pinned versions of all that a script installs; None where it is not pinned."""
    found = {}
    for words in INSTALLED.findall(script.read_text()):
        for word in words.replace("\\\n", " ").split():
            if word.startswith("-"):
                continue
            match = REQUIREMENT.fullmatch(word.strip("'\""))
            if match is None:  # the shell goes on to something else
                break
            found[_normal(match[1])] = match[2]
    return found


def _normal(name: Any) -> Any:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_there_are_some() -> None:
    assert SCRIPTS


def test_the_page_has_the_table_that_the_headers_make() -> None:
    page = (FOLDER / "README.md").read_text()
    found = [library_findings.read(script) for script in SCRIPTS]
    assert page == library_findings.filled(page, found), (
        "run: python scripts/library_findings.py table"
    )


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_can_be_run_by_hand_and_stops_at_the_first_failure(script: Any) -> None:
    lines = script.read_text().splitlines()
    assert os.access(script, os.X_OK)
    assert lines[0] == "#!/usr/bin/env bash"
    assert "set -euo pipefail" in lines


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_installs_the_versions_that_its_header_names(script: Any) -> None:
    named = library_findings.packages(library_findings.read(script))
    installed = _requirements(script)
    assert {name: installed.get(_normal(name)) for name in named} == named
    assert [name for name, version in installed.items() if version is None] == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_runs_the_package_without_ours(script: Any) -> None:
    assert OURS.findall(script.read_text()) == []


@pytest.mark.parametrize("key", library_findings.HEADER)
def test_a_header_without_one_of_its_lines_is_refused_by_its_name(key: Any, tmp_path: Path) -> None:
    script = tmp_path / "example.sh"
    whole = "".join(f"# {one}: a 1.0\n" for one in library_findings.HEADER if one != key)
    script.write_text(f"#!/usr/bin/env bash\n{whole}")
    with pytest.raises(ValueError, match=f"'# {key}: ...'"):
        library_findings.read(script)


def test_a_bar_in_a_header_does_not_end_a_cell() -> None:
    found = library_findings.Finding("name", "a 1.0", "x | y", "z", "w")
    assert "x \\| y" in library_findings.table([found])


def test_a_script_that_ends_well_is_ok_and_its_last_line_is_shown(ran: Any) -> None:
    outcome = ran("echo first; echo seen")
    assert (outcome.state, outcome.said) == ("ok", "seen")


def test_a_script_whose_check_fails_has_changed(ran: Any) -> None:
    outcome = ran('"$PYTHON" -c "raise SystemExit(\'not any more\')"')
    assert (outcome.state, outcome.said) == ("changed", "not any more")


@pytest.mark.parametrize(
    "body",
    [
        '"$PYTHON" -m pip install -q --no-index "no-such-package==1.0"',
        '"$PYTHON" -m venv /dev/null/v && v/bin/pip install -q "a==1"\nv/bin/python -c pass',
        "no-such-python -m venv v",
    ],
)
def test_a_package_that_cannot_be_installed_says_nothing_about_it(body: str, ran: Any) -> None:
    assert ran(body).state == "could not install"


def test_a_script_that_does_not_end_is_stopped_with_all_it_started(
    ran: Any, tmp_path: Path
) -> None:
    begun = tmp_path / "pid"
    outcome = ran(f"sleep 600 & echo $! >{begun}; wait", longest_s=2)
    assert outcome.state == "could not install"
    left = [one for one in psutil.process_iter() if one.pid == int(begun.read_text())]
    assert all(one.status() == psutil.STATUS_ZOMBIE for one in left)  # nobody may have reaped it


def test_what_a_script_leaves_behind_goes(ran: Any) -> None:
    outcome = ran('cd "$(mktemp -d)"; pwd')
    assert outcome.state == "ok"
    assert not Path(outcome.said).exists()


def test_one_that_is_not_there_is_refused_with_those_that_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert library_findings.main(["run", "no-such-finding"]) == 2
    assert SCRIPTS[0].stem in capsys.readouterr().err


def test_a_change_is_the_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bodies = {"good": "true", "bad": "false", "absent": "no-such-python -m venv v"}
    for name, body in bodies.items():
        (tmp_path / f"{name}.sh").write_text(f"set -euo pipefail\n{body}\n")
    assert library_findings.run_all(["good", "absent"], tmp_path) == 0
    assert library_findings.run_all([], tmp_path) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["good", "absent", "absent", "bad", "good"]


def test_make_findings_runs_all_or_one() -> None:
    def would_run(*settings: Any) -> Any:
        shown = subprocess.run(
            ["make", "--dry-run", "--no-print-directory", "findings", *settings],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return shown.stdout.split()

    assert would_run()[-2:] == ["scripts/library_findings.py", "run"]
    assert would_run("ONLY=one")[-2:] == ["run", "one"]

"""`rglab study`: what it refuses, and the tables it prints."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from measured_study import GRID, ask, measure, numbers_of
from rich.console import Console
from typer.testing import CliRunner

from rgclient import Findings
from rgcontract import Findings as Data
from rglab.cli import app
from rglab.cli.study import reasons, tables
from rgstore.database import Database
from rgstore.tables import StudyRow
from rgworker.findings import refresh_findings


@pytest.fixture
def findings(database: Database) -> Findings:
    def numbers(claim: Any) -> Any:
        return numbers_of(claim) | {("final", "network", "under_trained"): [1.0]}

    name = ask(database, **GRID | {"model": {"depth": 6, "norm": ["layer", "none"]}})
    measure(database, numbers)
    refresh_findings(database, attempt_limit=3)
    with database.begin() as session:
        return Findings(Data.model_validate(session.get_one(StudyRow, name).findings))


@pytest.fixture
def printed(findings: Findings) -> str:
    console = Console(width=80, record=True, file=io.StringIO())
    for table in tables(findings):
        console.print(table)
    return console.export_text()


def test_every_architecture_has_a_table_of_verdicts(printed: str) -> None:
    assert "norm = layer" in printed
    assert "norm = none" in printed
    assert printed.count("selective position xi = 1 against 7 supported !") == 2


def test_warnings_are_said_below_the_table(printed: str) -> None:
    assert printed.count("! UNDER-TRAINED") == 2


def test_the_tables_fit_into_80_columns_uncut(printed: str) -> None:
    assert max(map(len, printed.splitlines())) <= 80
    assert "…" not in printed
    assert " ".join(printed.split()).count("xi = 1 against 7") == 4


def test_what_decides_is_said_in_words_but_not_of_the_pooled(findings: Findings) -> None:
    lines = reasons(findings)
    assert len(lines) == 10  # 2 architectures, each 2 monotone, 1 selective, 2 localized
    assert any(
        "selective xi = 1 against 7: The short chain collapses more" in line for line in lines
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give the name of a preset, or --file"),
        (["demo", "--file", "x.json"], "give the name of a preset, or --file"),
        (["--file", "nowhere.json"], "cannot be read"),
    ],
)
def test_what_it_cannot_do_it_says(arguments: Any, words: str) -> None:
    ran = CliRunner().invoke(app, ["study", *arguments], env={"COLUMNS": "200"})
    assert ran.exit_code == 2
    assert words in ran.stderr


@pytest.mark.parametrize("text", ["[]", '{"seeds": NaN}'])
def test_a_file_that_is_no_body_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "body.json"
    path.write_text(text)
    ran = CliRunner().invoke(app, ["study", "--file", str(path)])
    assert ran.exit_code == 2


def test_a_lab_that_does_not_answer_is_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RGLAB_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("RGLAB_TOKEN", "rgl_x")
    ran = CliRunner().invoke(app, ["study", "smoke"])
    assert ran.exit_code == 1
    assert "127.0.0.1:1" in ran.stderr
    assert "rglab up" in ran.stderr


@pytest.mark.slow
def test_where_no_lab_runs_it_starts_one_and_keeps_what_it_measured(
    monkeypatch: pytest.MonkeyPatch, scratch: Path
) -> None:
    monkeypatch.setenv("RGLAB_DATA_DIR", str(scratch / "own"))
    monkeypatch.delenv("RGLAB_URL", raising=False)
    output = scratch / "study-output"
    ran = CliRunner().invoke(app, ["study", "smoke", "--output", str(output)])
    assert ran.exit_code == 0, ran.stderr
    assert Findings(Data.model_validate_json((output / "findings.json").read_bytes())).complete
    assert len(list(output.glob("e-*.json"))) == 2

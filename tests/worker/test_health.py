from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from sqlalchemy import func, text, update

from rgstore.database import Database
from rgstore.settings import Settings
from rgstore.tables import WorkerRow
from rgstore.workers import worker_seen
from rgworker import health


@pytest.fixture
def seen(database: Database) -> None:
    """A worker of host h1 was heard of just now."""
    with database.begin() as session:
        worker_seen(session, "w1", "h1", "cpu", 2)


def test_a_host_with_a_live_worker_is_healthy(
    database_url: str, seen: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert health.main(Settings(database_url=database_url), "h1") == 0
    assert capsys.readouterr().err == ""


def test_a_worker_of_another_host_does_not_count(
    database_url: str, seen: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert health.main(Settings(database_url=database_url), "h2") == 1
    assert capsys.readouterr().err == "no worker of h2 was heard of lately\n"


def test_a_worker_gone_silent_does_not_count(
    database_url: str, database: Database, seen: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with database.begin() as session:
        past = func.now() - text("interval '31 s'")  # silent after 30
        session.execute(update(WorkerRow).values(seen_at=past))
    assert health.main(Settings(database_url=database_url), "h1") == 1


def test_a_database_that_does_not_answer_is_the_cause_without_its_password(
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = Settings(database_url="postgresql://alice:secret@127.0.0.1:1/none")
    assert health.main(settings, "h1") == 1
    told = capsys.readouterr().err
    assert told.startswith("the database does not answer: ")
    assert "secret" not in told


def test_the_command_answers_with_its_exit_code(database_url: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "rgworker.health"],
        env={"RGLAB_DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "was heard of lately" in ended.stderr

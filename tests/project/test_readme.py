"""Every command of README.md, taken from it and run as written."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import Up, environment, shell
from lab_processes import PATIENCE, Lab
from markdown import ROOT, Block, blocks, commands, links

from rgstore.database import Database
from rgstore.tokens import make_token

TWO_COMMANDS, SERVE, SUBMIT, READ, NOTEBOOK = blocks("README.md")


def _curl(block: Block, url: str, token: str, **variables: str) -> list[dict[str, Any]]:
    """What the lines of a block print: JSON values, one after the other."""
    ran = shell(block.code, RGLAB_URL=url, RGLAB_TOKEN=token, **variables)
    assert (ran.returncode, ran.stderr) == (0, "")
    decoder, rest, found = json.JSONDecoder(), ran.stdout.lstrip(), []
    while rest:
        value, end = decoder.raw_decode(rest)
        found.append(value)
        rest = rest[end:].lstrip()
    return found


@pytest.fixture
def idle_lab(scratch: Path, database_url: str) -> Iterator[Lab]:
    """A lab that has never seen an experiment, without workers."""
    started = Lab(scratch / "idle", database_url)
    yield started
    started.stop()


@pytest.fixture
def token(database: Database) -> str:
    with database.begin() as session:
        return make_token(session, "alice")


def test_every_block_is_one_that_is_run_here() -> None:
    assert [(block.heading, block.language) for block in blocks("README.md")] == [
        ("Two commands", "sh"),
        ("The lab's server", "sh"),
        ("With curl", "sh"),
        ("With curl", "sh"),
        ("In a notebook", "python"),
    ]


def test_the_two_commands_and_the_server_are_targets_of_make() -> None:
    """What they run is in test_makefile.py."""
    assert commands(TWO_COMMANDS) == ["make demo", "make test"]
    assert commands(SERVE) == ["make serve"]


def test_the_submission_is_answered_at_once_with_an_id(idle_lab: Lab, token: str) -> None:
    (answer,) = _curl(SUBMIT, idle_lab.urls[0], token)
    assert answer["created"] is True
    assert (answer["state"], answer["added_seeds"]) == ("queued", [0, 1, 2])
    (again,) = _curl(SUBMIT, idle_lab.urls[0], token)
    assert (again["id"], again["created"]) == (answer["id"], False)


def test_the_submission_names_the_experiment_that_is_measured(
    lab: Up, default_experiment: str
) -> None:
    (answer,) = _curl(SUBMIT, lab.url, lab.credentials.token)
    assert (answer["id"], answer["state"]) == (default_experiment, "done")


def test_the_polling_lines_give_the_state_and_then_the_result(
    lab: Up, default_experiment: str
) -> None:
    state, result = _curl(READ, lab.url, lab.credentials.token, ID=default_experiment)
    assert (state["id"], state["state"]) == (default_experiment, "done")
    assert (result["id"], result["seeds"]) == (default_experiment, [0, 1, 2])


def test_the_notebook_lines_work_with_nothing_but_the_credentials_file(
    lab: Up, default_experiment: str
) -> None:
    """Fed to an interactive Python, so that each expression is shown, as in a notebook."""
    ran = subprocess.run(
        [sys.executable, "-i", "-q"],
        input=NOTEBOOK.code,
        env=environment(RGLAB_DATA_DIR=str(lab.data_dir), PYTHON_BASIC_REPL="1"),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert "Traceback" not in ran.stderr, ran.stderr
    ranks, ratio, frame = (ran.stdout.find(word) for word in ("effective_rank", "±", "standard_"))
    assert min(ranks, ratio, frame) >= 0, ran.stdout


def test_every_link_leads_to_a_file() -> None:
    missing = [link for link in links("README.md") if not (ROOT / link).exists()]
    assert missing == []


def test_it_shows_a_picture_of_a_result() -> None:
    assert "docs/images/contrast.png" in links("README.md")

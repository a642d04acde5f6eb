"""`rglab --help`, `migrate`, `token`, `doctor`, `worker` on a real database."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from commands import Up
from typer.testing import CliRunner

from rgcontract import Submission
from rglab.cli import app
from rglab.embedded.lab import free_port
from rgstore.database import Database
from rgstore.invariants import INVARIANTS
from rgstore.submissions import submit
from rgstore.tokens import owner_of

COMMANDS = ("up", "demo", "study", "migrate", "worker", "calibrate", "token", "doctor")
NO_BROKER = "redis://127.0.0.1:1"  # a port that nothing listens on


@pytest.fixture
def rglab(tmp_path: Path) -> Any:
    """Run `rglab` with nothing in its environment but these variables."""

    def _rglab(*arguments: str, **variables: str | None) -> Any:
        names = ("DATABASE_URL", "BROKER_URL", "URL", "TOKEN")
        env = {f"RGLAB_{name}": None for name in names} | {"RGLAB_DATA_DIR": str(tmp_path)}
        return CliRunner().invoke(app, arguments, env=env | variables)

    return _rglab


def test_help_lists_every_command(rglab: Any) -> None:
    listed = re.findall(r"^│ (\w+)  ", rglab("--help").output, re.MULTILINE)
    assert set(COMMANDS) <= set(listed)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(rglab: Any, command: Any) -> None:
    ran = rglab(command, "--help")
    assert ran.exit_code == 0
    assert f"Usage: rglab {command}" in ran.output


def test_migrate_makes_an_empty_database_one_that_takes_tokens(
    rglab: Any, empty_database_url: str
) -> None:
    before = rglab("token", "alice", RGLAB_DATABASE_URL=empty_database_url)
    assert before.exit_code == 1
    assert "run `rglab migrate`" in before.stderr
    assert rglab("migrate", RGLAB_DATABASE_URL=empty_database_url).exit_code == 0
    assert rglab("token", "alice", RGLAB_DATABASE_URL=empty_database_url).exit_code == 0


def test_migrate_may_be_repeated(rglab: Any, database_url: str) -> None:
    ran = rglab("migrate", RGLAB_DATABASE_URL=database_url)
    assert (ran.exit_code, ran.stderr) == (0, "the schema is up to date\n")


def test_token_prints_the_token_alone_on_standard_output(
    rglab: Any, database_url: str, database: Database
) -> None:
    ran = rglab("token", "alice", RGLAB_DATABASE_URL=database_url)
    with database.begin() as session:
        assert owner_of(session, ran.stdout.removesuffix("\n")) == "alice"


def test_token_without_an_owner_lists_who_has_one(rglab: Any, database_url: str) -> None:
    for owner in ("bob", "alice", "bob"):
        rglab("token", owner, RGLAB_DATABASE_URL=database_url)
    ran = rglab("token", RGLAB_DATABASE_URL=database_url)
    assert ran.stdout == "alice  1 valid\nbob  2 valid\n"


def test_token_revoke_takes_all_of_an_owner_back(
    rglab: Any, database_url: str, database: Database
) -> None:
    made = rglab("token", "alice", RGLAB_DATABASE_URL=database_url).stdout.strip()
    ran = rglab("token", "alice", "--revoke", RGLAB_DATABASE_URL=database_url)
    assert ran.stderr == "revoked 1 tokens of alice\n"
    with database.begin() as session:
        assert owner_of(session, made) is None


@pytest.mark.parametrize("command", [["migrate"], ["token", "alice"], ["worker"]])
def test_without_a_database_it_says_what_to_set(rglab: Any, command: Any) -> None:
    ran = rglab(*command)
    assert ran.exit_code == 1
    assert "RGLAB_DATABASE_URL is not set; start with `rglab up`, or set it" in ran.stderr


@pytest.mark.parametrize("command", [["migrate"], ["token", "alice"]])
def test_a_database_that_is_away_is_said_in_a_line(rglab: Any, command: Any) -> None:
    url = f"postgresql://nobody@127.0.0.1:{free_port('127.0.0.1')}/none"
    ran = rglab(*command, RGLAB_DATABASE_URL=url)
    assert ran.exit_code == 1
    assert ran.stderr.startswith("the database does not answer: ")


def test_a_worker_without_a_broker_says_what_to_set(rglab: Any, database_url: str) -> None:
    ran = rglab("worker", RGLAB_DATABASE_URL=database_url)
    assert ran.exit_code == 1
    assert "RGLAB_BROKER_URL is not set" in ran.stderr


def test_doctor_tells_what_answers_from_what_does_not(rglab: Any, database_url: str) -> None:
    url = f"http://127.0.0.1:{free_port('127.0.0.1')}"
    ran = rglab(
        "doctor", RGLAB_URL=url, RGLAB_DATABASE_URL=database_url, RGLAB_BROKER_URL=NO_BROKER
    )
    api, database, broker = ran.stdout.splitlines()
    assert ran.exit_code == 1
    assert api.startswith("BAD  API")
    assert database == "ok   database  0 workers heard of lately, 0 hear the broker"
    assert broker.startswith("BAD  broker    does not answer")


def test_doctor_knows_no_server_where_none_was_started(rglab: Any) -> None:
    ran = rglab("doctor")
    assert ran.exit_code == 1
    assert ran.stdout == "BAD  API       no server known: run `rglab up`, or set RGLAB_URL\n"


def test_doctor_finds_the_parts_of_a_running_lab_by_itself(rglab: Any, lab: Up) -> None:
    ran = rglab("doctor", RGLAB_DATA_DIR=str(lab.data_dir))
    assert ran.exit_code == 0, ran.output
    assert [line[:14].split() for line in ran.stdout.splitlines()] == [
        ["ok", "API"], ["ok", "database"], ["ok", "broker"],
    ]  # fmt: skip


def _queued_without_an_attempt(database: Any) -> str:
    """A run that cannot be right; its experiment."""
    with database.begin() as session:
        stored = submit(
            session,
            Submission(seeds=(0,)),
            owner="alice",
            attempt_limit=0,
            body_hash="",
            flops_per_run=1.0,
        )
        return str(stored.run_ids[0])


def test_doctor_says_which_invariants_hold(rglab: Any, database_url: str) -> None:
    ran = rglab("doctor", "--invariants", RGLAB_DATABASE_URL=database_url)
    assert ran.exit_code == 0, ran.output
    said = [line.split()[:2] for line in ran.stdout.splitlines() if line.startswith("ok")]
    assert said == [["ok", one.name] for one in INVARIANTS]


def test_doctor_names_the_rows_that_break_an_invariant(
    rglab: Any, database_url: str, database: Database
) -> None:
    run = _queued_without_an_attempt(database)
    ran = rglab("doctor", "--invariants", RGLAB_DATABASE_URL=database_url)
    assert ran.exit_code == 1
    assert f"attempts_left: run {run}, attempt 0, attempt_limit 0" in ran.stdout.splitlines()


def test_doctor_gives_what_breaks_invariants_as_json(
    rglab: Any, database_url: str, database: Database
) -> None:
    run = _queued_without_an_attempt(database)
    ran = rglab("doctor", "--invariants", "--json", RGLAB_DATABASE_URL=database_url)
    assert ran.exit_code == 1
    broken = {one["invariant"]: one["broken_by"] for one in json.loads(ran.stdout)}
    assert broken.pop("attempts_left") == [{"run": int(run), "attempt": 0, "attempt_limit": 0}]
    assert broken == {one.name: [] for one in INVARIANTS if one.name != "attempts_left"}


def test_doctor_gives_json_of_invariants_alone(rglab: Any) -> None:
    ran = rglab("doctor", "--json")
    assert ran.exit_code == 2
    assert "it goes with --invariants" in ran.output


def test_invariants_of_a_database_that_is_away_are_none(rglab: Any) -> None:
    url = f"postgresql://nobody@127.0.0.1:{free_port('127.0.0.1')}/none"
    ran = rglab("doctor", "--invariants", RGLAB_DATABASE_URL=url)
    assert ran.exit_code == 1
    assert ran.stderr.startswith("the database does not answer: ")


def test_a_token_made_beside_a_running_lab_is_valid_there(rglab: Any, lab: Up) -> None:
    """What the operator does for a colleague while `make serve` runs."""
    token = rglab("token", "bob", RGLAB_DATA_DIR=str(lab.data_dir)).stdout.strip()
    headers = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{lab.url}/v1/experiments", headers=headers).status_code == 200
    headers = {"Authorization": f"Bearer {token}x"}
    assert httpx.get(f"{lab.url}/v1/experiments", headers=headers).status_code == 401

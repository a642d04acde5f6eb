"""`rglab --help`, `migrate`, `user`, `token`, `doctor`, `worker` on a real database."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from alembic.script import ScriptDirectory
from commands import Up
from sqlalchemy import NullPool, create_engine, text
from typer.testing import CliRunner

from migrations import alembic_config
from rgcontract import Submission
from rgkernels import UnusableError
from rgkernels.compiler import found_compiler
from rglab.cli import app
from rglab.embedded.lab import free_port
from rgstore.database import Database
from rgstore.invariants import INVARIANTS
from rgstore.submissions import submit
from rgstore.token_text import id_of
from rgstore.tokens import InvalidTokenError, caller_of

COMMANDS = (
    "up",
    "demo",
    "study",
    "migrate",
    "worker",
    "calibrate",
    "user",
    "token",
    "audit",
    "doctor",
)
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


ALICE = ("token", "create", "--user", "alice")


def test_migrate_makes_an_empty_database_one_that_takes_people(
    rglab: Any, empty_database_url: str
) -> None:
    before = rglab("user", "add", "alice", RGLAB_DATABASE_URL=empty_database_url)
    assert before.exit_code == 1
    assert "run `rglab migrate`" in before.stderr
    for command in (["migrate"], ["user", "add", "alice"], ALICE):
        assert rglab(*command, RGLAB_DATABASE_URL=empty_database_url).exit_code == 0


def test_migrate_may_be_repeated(rglab: Any, database_url: str) -> None:
    ran = rglab("migrate", RGLAB_DATABASE_URL=database_url)
    assert (ran.exit_code, ran.stderr) == (0, "the schema is up to date\n")


@pytest.mark.parametrize("command", ["migrate", "up"])
def test_a_database_of_a_newer_release_is_left_as_it_is(
    rglab: Any, database_url: str, tmp_path: Path, command: str
) -> None:
    engine = create_engine(database_url, poolclass=NullPool)
    revision = text("UPDATE alembic_version SET version_num = :revision RETURNING version_num")
    with engine.begin() as connection:
        connection.execute(revision, {"revision": "newer"})
    ran = rglab(command, RGLAB_DATABASE_URL=database_url, RGLAB_DATA_DIR=str(tmp_path))
    assert ran.exit_code == 1
    assert "a newer release of RGLab has migrated the database: upgrade this one" in ran.stderr
    assert "newer" in ran.stderr.rpartition("(")[2]
    with engine.begin() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "newer"
        head = ScriptDirectory.from_config(alembic_config(database_url)).get_current_head()
        connection.execute(revision, {"revision": head})


@pytest.fixture
def alice(rglab: Any, database_url: str) -> Any:
    """Run `rglab` on a lab that has alice, its admin."""

    def _rglab(*arguments: str) -> Any:
        return rglab(*arguments, RGLAB_DATABASE_URL=database_url)

    assert _rglab("user", "add", "alice").stderr == "alice is a user with the role admin\n"
    return _rglab


def test_the_first_user_is_the_admin_and_others_are_members(alice: Any) -> None:
    alice("user", "add", "bob")
    alice("user", "add", "eve", "--role", "reader")
    listed = [line.split()[:2] for line in alice("user", "list").stdout.splitlines()]
    assert listed == [["alice", "admin"], ["bob", "member"], ["eve", "reader"]]


def test_a_user_is_disabled_and_enabled_and_gets_a_role(alice: Any) -> None:
    alice("user", "add", "bob")
    assert "disabled 20" in alice("user", "disable", "bob").stderr
    assert "disabled" not in alice("user", "enable", "bob").stderr
    assert "bob  admin  since" in alice("user", "role", "bob", "admin").stderr


def test_the_quotas_of_a_user_are_shown_and_set(alice: Any) -> None:
    alice("user", "quota", "alice", "flops_per_day", "1e15")
    shown = alice("user", "quota", "alice", "queued_runs", "500").stdout.splitlines()
    assert shown == [
        "queued_runs  0 of 500 runs  own",
        "flops_per_day  0 of 1e+15 operations  own",
        "stored_bytes  0 of any number bytes  lab",
        "requests_per_second  200 requests per second  lab",
    ]
    alice("user", "quota", "alice", "queued_runs", "default")
    assert alice("user", "quota", "alice").stdout.splitlines()[:2] == [
        "queued_runs  0 of any number runs  lab",
        "flops_per_day  0 of 1e+15 operations  own",
    ]
    assert alice("audit", "--action", "user.update").stdout.count("(operator)") == 3


@pytest.mark.parametrize("limit", [["-1"], ["many"], ["1.5"], []])
def test_a_quota_that_cannot_be_says_what_can(alice: Any, limit: list[str]) -> None:
    ran = alice("user", "quota", "alice", "queued_runs", "--", *limit)
    assert ran.exit_code == 2
    assert "integer >= 0, <= 1000000000" in " ".join(ran.stderr.replace("│", " ").split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["user", "quota", "bob"], "no user bob: rglab user add bob"),
        (["user", "add", "alice"], "alice is a user already"),
        (["user", "role", "alice", "member"], "alice is the only admin who is not disabled"),
        (["user", "disable", "alice"], "alice is the only admin who is not disabled"),
        (["user", "disable", "bob"], "no user bob: rglab user add bob"),
        (["token", "create", "--user", "bob"], "no user bob: rglab user add bob"),
        (["token", "revoke", "--user", "bob"], "no user bob: rglab user add bob"),
        (["token", "revoke", "t-0"], "no token t-0; rglab token list has them"),
    ],
)
def test_what_the_lab_refuses_is_said_in_a_line(alice: Any, arguments: Any, said: str) -> None:
    ran = alice(*arguments)
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert ran.stderr.startswith(said)


@pytest.mark.parametrize(
    "arguments",
    [
        ["user", "add", "a b"],
        ["user", "add", ""],
        ["user", "add", "x", "--role", "boss"],
        [*ALICE, "--name", ""],
        [*ALICE, "--name", "two\nlines"],
        [*ALICE, "--expires", "soon"],
        [*ALICE, "--expires", "2020-01-01"],
        ["token", "revoke"],
        ["token", "revoke", "t-0", "--user", "alice"],
        ["token", "alice"],
    ],
)
def test_a_wrong_argument_ends_with_code_2(alice: Any, arguments: Any) -> None:
    ran = alice(*arguments)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert alice("token", "list").stdout == ""


def test_who_writes_token_and_a_name_is_told_how_it_is_written(alice: Any) -> None:
    assert "`rglab token create --user NAME`" in alice("token", "alice").stderr


def test_a_token_is_printed_alone_on_standard_output(alice: Any, database: Database) -> None:
    ran = alice(*ALICE)
    token = ran.stdout.removesuffix("\n")
    with database.begin() as session:
        assert caller_of(session, token).user == "alice"
    assert id_of(token) in ran.stderr
    assert token not in ran.stderr


def test_a_token_has_the_name_role_and_expiry_that_it_was_given(alice: Any) -> None:
    options = ["--name", "bench 3", "--role", "reader", "--expires", "2099-12-31"]
    made = alice(*ALICE, *options).stdout.strip()
    listed = alice("token", "list", "--user", "alice").stdout
    expected = f"{id_of(made)}  alice  reader  bench 3  expires 2099-12-31 00:00  used never\n"
    assert listed == expected


def test_no_token_has_a_role_above_its_users(alice: Any) -> None:
    alice("user", "add", "bob")
    ran = alice("token", "create", "--user", "bob", "--role", "admin")
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert ran.stderr == "bob has the role member, and no token of theirs may have more\n"


def test_a_token_is_revoked_by_itself_and_all_of_a_user_at_once(
    alice: Any, database: Database
) -> None:
    kept, gone, last = (alice(*ALICE).stdout.strip() for _ in range(3))
    assert alice("token", "revoke", id_of(gone)).stderr == "revoked 1\n"
    with database.begin() as session:
        assert caller_of(session, kept).user == caller_of(session, last).user == "alice"
        with pytest.raises(InvalidTokenError):
            caller_of(session, gone)
    assert alice("token", "revoke", "--user", "alice").stderr == "revoked 2\n"
    assert alice("token", "list").stdout == ""


@pytest.mark.parametrize("command", [["migrate"], ["user", "list"], ALICE, ["worker"]])
def test_without_a_database_it_says_what_to_set(rglab: Any, command: Any) -> None:
    ran = rglab(*command)
    assert ran.exit_code == 1
    assert "RGLAB_DATABASE_URL is not set; start with `rglab up`, or set it" in ran.stderr


@pytest.mark.parametrize("command", [["migrate"], ["user", "list"], ALICE])
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
    api, database, broker, training = ran.stdout.splitlines()
    assert ran.exit_code == 1
    assert api.startswith("BAD  API")
    assert database == "ok   database  0 workers heard of lately, 0 hear the broker"
    assert broker.startswith("BAD  broker    does not answer")
    assert training.startswith("ok   training  ")


def test_doctor_knows_no_server_where_none_was_started(rglab: Any) -> None:
    ran = rglab("doctor")
    api, _ = ran.stdout.splitlines()
    assert ran.exit_code == 1
    assert api == "BAD  API       no server known: run `rglab up`, or set RGLAB_URL"


@pytest.mark.parametrize("backend", ["native", "torch"])
def test_doctor_says_what_trains_and_how_to_get_the_other(rglab: Any, backend: str) -> None:
    _, training = rglab("doctor", RGLAB_BACKEND=backend, CC="no-such-compiler").stdout.splitlines()
    assert training == (
        "ok   training  torch trains: CC=no-such-compiler does not run; install gcc or clang, "
        "or `pip install 'rglab[kernels]'`"
    )


def test_doctor_says_what_kernels_would_train_by_while_torch_does(rglab: Any) -> None:
    try:
        found_compiler()
    except UnusableError as error:
        pytest.skip(str(error))
    _, training = rglab("doctor", RGLAB_BACKEND="torch").stdout.splitlines()
    said = (
        "torch trains (RGLAB_BACKEND=torch); RGLAB_BACKEND=native would train by native kernels: "
    )
    assert training.startswith(f"ok   training  {said}")


def test_doctor_finds_the_parts_of_a_running_lab_by_itself(rglab: Any, lab: Up) -> None:
    ran = rglab("doctor", RGLAB_DATA_DIR=str(lab.data_dir))
    assert ran.exit_code == 0, ran.output
    assert [line[:14].split() for line in ran.stdout.splitlines()] == [
        ["ok", "API"], ["ok", "database"], ["ok", "broker"], ["ok", "training"],
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
    here = {"RGLAB_DATA_DIR": str(lab.data_dir)}
    assert rglab("user", "add", "bob", **here).stderr == "bob is a user with the role member\n"
    token = rglab("token", "create", "--user", "bob", **here).stdout.strip()
    headers = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{lab.url}/v1/experiments", headers=headers).status_code == 200
    headers = {"Authorization": f"Bearer {token}x"}
    assert httpx.get(f"{lab.url}/v1/experiments", headers=headers).status_code == 401


def test_audit_tells_who_changed_what_and_the_newest_last(alice: Any) -> None:
    assert alice("user", "add", "bob").exit_code == 0
    assert alice("user", "role", "bob", "reader").exit_code == 0
    ran = alice("audit", "--target", "bob")
    lines = [line.split("  ", 1)[1] for line in ran.stdout.splitlines()]
    assert lines == [
        '(operator)  -  user.add  bob  {"role":"member"}',
        '(operator)  -  user.update  bob  {"role":"member"} -> {"role":"reader"}',
    ]


def test_audit_is_narrowed_and_told_as_json(alice: Any) -> None:
    assert alice("user", "add", "bob").exit_code == 0
    ran = alice("audit", "--action", "user.add", "--limit", "1", "--json")
    (told,) = map(json.loads, ran.stdout.splitlines())
    assert (told["who"], told["target"]) == ("(operator)", "bob")
    assert "--limit takes more" in ran.stderr
    for since, n in (("2026-01-01", 1), ("2999-01-01T00:00:00+02:00", 0)):
        ran = alice("audit", "--since", since, "--target", "bob")
        assert len(ran.stdout.splitlines()) == n


def test_audit_refuses_a_time_that_is_none(alice: Any) -> None:
    ran = alice("audit", "--since", "yesterday")
    assert ran.exit_code == 2
    assert "such as 2026-11-28T09:30" in ran.stderr

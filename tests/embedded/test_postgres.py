"""The embedded Postgres: whose process it takes for its own, and what it makes of a directory."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from lab_processes import until
from sqlalchemy import NullPool, create_engine, text

from rglab.embedded import cluster
from rglab.embedded.postgres import EmbeddedPostgres, PostgresError, running_url
from rglab.embedded.text_order import remark
from rgstore.settings import Settings


@pytest.fixture(scope="module")
def directory(scratch: Path) -> Iterator[Path]:
    """A cluster on which a server has run and was stopped."""
    where = scratch / "stale" / "pg"
    EmbeddedPostgres(where).stop()
    yield where
    shutil.rmtree(where.parent, ignore_errors=True)


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with us."""
    process = subprocess.Popen(["sleep", "600"])
    yield process
    process.kill()
    process.wait()


def ask(url: str, question: str) -> list[Any]:
    engine = create_engine(Settings(database_url=url).database, poolclass=NullPool)
    with engine.connect() as connection:
        rows = list(connection.execute(text(question)))
    engine.dispose()
    return rows


def answers(server: EmbeddedPostgres) -> bool:
    return ask(server.url, "SELECT 1") == [(1,)]


def pid_file(directory: Path, pid: int) -> str:
    """What a server that was killed leaves behind, under a number that another has got since."""
    return f"{pid}\n{directory}\n1700000000\n5432\n{directory}\n\n  1234  5678\nready   \n"


def test_a_process_that_has_got_the_number_of_a_dead_server_is_let_live(
    directory: Path, stranger: subprocess.Popen[bytes]
) -> None:
    (directory / "postmaster.pid").write_text(pid_file(directory, stranger.pid))
    (directory / ".s.PGSQL.5432.lock").write_text(pid_file(directory, stranger.pid))
    assert running_url(directory) is None
    server = EmbeddedPostgres(directory)
    try:
        assert answers(server)
    finally:
        server.stop()
    assert stranger.poll() is None


def test_a_process_of_the_right_name_elsewhere_is_let_live(directory: Path, tmp_path: Path) -> None:
    """A copied data directory names the server of the one it was copied from."""
    program = tmp_path / "postgres"
    sleep = shutil.which("sleep")
    assert sleep is not None
    shutil.copy(sleep, program)
    other = subprocess.Popen([program, "600"], cwd=tmp_path)
    try:
        (directory / "postmaster.pid").write_text(pid_file(directory, other.pid))
        server = EmbeddedPostgres(directory)
        assert answers(server)
        server.stop()
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


@pytest.mark.parametrize("lines", [0, 1, 5, 7])
def test_a_pid_file_that_was_cut_short_is_no_obstacle(
    directory: Path, stranger: subprocess.Popen[bytes], lines: int
) -> None:
    whole = pid_file(directory, stranger.pid).splitlines(keepends=True)
    (directory / "postmaster.pid").write_text("".join(whole[:lines]))
    server = EmbeddedPostgres(directory)
    try:
        assert answers(server)
    finally:
        server.stop()
    assert stranger.poll() is None


@pytest.mark.parametrize(
    "content", ["-1\n", "0\n", "1\n", "99999999999999999999\n", "x\ny\n", "\0"]
)
def test_a_pid_file_with_nonsense_in_it_is_no_obstacle(directory: Path, content: str) -> None:
    (directory / "postmaster.pid").write_text(content)
    server = EmbeddedPostgres(directory)
    try:
        assert answers(server)
    finally:
        server.stop()


def test_a_second_start_in_a_process_gives_a_server_that_answers(directory: Path) -> None:
    EmbeddedPostgres(directory).stop()
    server = EmbeddedPostgres(directory)
    try:
        assert answers(server)
    finally:
        server.stop()


def test_a_server_that_a_killed_supervisor_left_is_taken_over_and_stopped(directory: Path) -> None:
    code = f"""
import os, pathlib, signal
from rglab.embedded.postgres import EmbeddedPostgres
EmbeddedPostgres(pathlib.Path({str(directory)!r}))
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code], check=False)
    left = psutil.Process(int((directory / "postmaster.pid").read_text().split()[0]))
    server = EmbeddedPostgres(directory)
    assert answers(server)
    assert left.is_running()
    server.stop()
    assert not left.is_running() or left.status() == psutil.STATUS_ZOMBIE
    assert running_url(directory) is None


def test_a_kill_during_initdb_leaves_nothing_that_is_taken_for_a_cluster(scratch: Path) -> None:
    where = scratch / "half" / "pg"
    code = f"""
import pathlib
from rglab.embedded.postgres import EmbeddedPostgres
EmbeddedPostgres(pathlib.Path({str(where)!r}))
"""
    process = subprocess.Popen([sys.executable, "-c", code])
    until(lambda: list(where.parent.glob("*/PG_VERSION")))
    for child in psutil.Process(process.pid).children(recursive=True):
        child.kill()
    process.kill()
    process.wait()
    server = EmbeddedPostgres(where)
    try:
        assert answers(server)
    finally:
        server.stop()
    assert [path.name for path in where.parent.iterdir()] == ["pg"]


def test_a_half_made_cluster_of_an_earlier_release_is_put_aside(scratch: Path) -> None:
    where = scratch / "old" / "pg"
    (where / "global").mkdir(parents=True)
    (where / "PG_VERSION").write_text("18\n")
    said: list[str] = []
    server = EmbeddedPostgres(where, said.append)
    try:
        assert answers(server)
    finally:
        server.stop()
    (aside,) = where.parent.glob("pg.unfinished-*")
    assert (aside / "PG_VERSION").exists()
    assert said == [f"no server has ever run on what was in {where}: it is now {aside}"]


def test_a_cluster_of_another_release_is_refused_and_left_alone(scratch: Path) -> None:
    where = scratch / "sixteen" / "pg"
    where.mkdir(parents=True)
    (where / "PG_VERSION").write_text("16\n")
    (where / "postmaster.opts").touch()
    with pytest.raises(PostgresError, match="was made by Postgres 16, this is 18"):
        EmbeddedPostgres(where)
    assert sorted(path.name for path in where.iterdir()) == ["PG_VERSION", "postmaster.opts"]


@pytest.mark.parametrize("name", ["two words", "it's", "$HOME", 'a "b"', "a,b", "ü" * 60])
def test_it_lives_under_any_name(scratch: Path, name: Any) -> None:
    server = EmbeddedPostgres(scratch / name / "pg")
    try:
        assert answers(server)
        assert running_url(scratch / name / "pg") == server.url
    finally:
        server.stop()
        shutil.rmtree(scratch / name)


WORDS = (
    "SELECT word FROM (VALUES ('b'), ('A'), ('a'), ('B'), ('é'), ('É'), ('_')) t(word) ORDER BY 1"
)
TEXT = f"SELECT lower('ÀÉÎ'), upper('àéî'), array(({WORDS})), current_setting('TimeZone')"


@pytest.mark.parametrize(
    "shell",
    [{"LC_ALL": "C", "TZ": "Asia/Tokyo"}, {"LC_ALL": "C.UTF-8"}, {"LANG": "xx_XX", "PGPORT": "6"}],
    ids=str,
)
def test_text_is_the_same_whatever_the_shell_that_made_it(
    scratch: Path, shell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Order, letter case and time zone, also in a shell whose locale does not exist."""
    where = scratch / f"locale-{len(shell)}-{shell.get('LC_ALL', '')}" / "pg"
    for name in ("LANG", "LC_ALL", "TZ", "PGPORT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in shell.items():
        monkeypatch.setenv(name, value)
    server = EmbeddedPostgres(where)
    try:
        ((lower, upper, words, zone),) = ask(server.url, TEXT)
        assert (lower, upper) == ("àéî", "ÀÉÎ")
        assert words == ["A", "B", "_", "a", "b", "É", "é"]
        assert zone == "UTC"
        assert remark(Settings(database_url=server.url).database) is None
    finally:
        server.stop()
        shutil.rmtree(where.parent)


def test_a_database_with_another_order_is_remarked_on(postgres: str, admin: Any) -> None:
    with admin.connect() as connection:
        connection.execute(
            text("CREATE DATABASE elsewhere TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'")
        )
    try:
        said = remark(postgres.replace("/postgres?", "/elsewhere?"))
    finally:
        with admin.connect() as connection:
            connection.execute(text("DROP DATABASE elsewhere"))
    assert said is not None
    assert said.startswith("order and letter case of text in this database follow C,")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_than_root_needs_no_system_user(scratch: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    where = scratch / "nobody"
    where.mkdir()
    os.chown(where, nobody.pw_uid, nobody.pw_gid)
    cluster.make_reachable(where / "pg", cluster.Account(nobody.pw_uid, nobody.pw_gid))
    code = f"""
import os, pathlib
from rglab.embedded.postgres import EmbeddedPostgres
os.setgroups([])
os.setgid({nobody.pw_gid})
os.setuid({nobody.pw_uid})
for _ in range(2):
    EmbeddedPostgres(pathlib.Path({str(where)!r}) / "pg").stop()
"""
    # who it is then may not write beside the tests what it has reached of the code
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    command = [sys.executable, "-c", code]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, cwd="/", env=env)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert (where / "pg" / "PG_VERSION").stat().st_uid == nobody.pw_uid

"""`rglab up` (`make serve`): what it prints, what it leaves, what it refuses."""

from __future__ import annotations

import json
import signal
import socket
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from commands import Up, alive, listens, processes_of, shell, sockets_in
from typer.testing import CliRunner

from rgservice.cli import app
from rgservice.cli.up import welcome
from rgservice.embedded.lab import Lab, LabError, free_port, running_lab
from rgstore.settings import Settings


def test_it_says_where_it_is_and_where_the_token_is(lab):
    assert listens(lab.url)
    assert f"The token is in {lab.data_dir / 'credentials.json'}" in lab.printed


def test_only_its_user_can_read_the_token(lab):
    assert (lab.data_dir / "credentials.json").stat().st_mode & 0o777 == 0o600


def test_the_token_itself_is_not_printed(lab):
    assert lab.credentials.token not in lab.printed


def test_the_curl_lines_submit_when_pasted(lab, default_experiment):
    ran = shell(lab.pasted("with curl"))
    assert (ran.returncode, ran.stderr) == (0, "")
    assert json.loads(ran.stdout)["id"] == default_experiment


def test_the_python_line_prints_the_result_when_pasted(lab, default_experiment):
    ran = shell(lab.pasted("in Python"))
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith(f"Result {default_experiment}: xi = 7")


@pytest.mark.parametrize("name", ["plain", "two words", "it's", "$HOME", '"quoted"'])
def test_the_curl_lines_find_the_token_in_any_directory(tmp_path, name):
    """No server: only the first line, which reads the token, is run."""
    credentials = tmp_path / name / "credentials.json"
    credentials.parent.mkdir()
    credentials.write_text('{"url": "http://lab.test", "token": "rgl_secret"}')
    printed = welcome(Lab("http://lab.test", "rgl_secret", credentials, ()))
    reading = next(line for line in printed.splitlines() if "TOKEN=" in line)
    assert shell(f"{reading.strip()}; echo $TOKEN").stdout == "rgl_secret\n"


def test_a_second_one_on_the_same_data_is_refused(lab):
    """Exit code 3: a script can tell that a lab is there from a lab that does not start."""
    ran = CliRunner().invoke(app, ["up"], env={"RGLAB_DATA_DIR": str(lab.data_dir)})
    assert ran.exit_code == 3
    assert f"a lab is already running on {lab.data_dir}" in ran.output


@dataclass(frozen=True)
class Stopped:
    """A lab before and after Ctrl-C."""

    exit_code: int
    printed: str
    url: str
    data_dir: Path
    processes: list[psutil.Process]
    sockets: list[Path]


@pytest.fixture(scope="module")
def stopped(scratch: Path) -> Stopped:
    up = Up(scratch / "stopped")
    processes = processes_of(up.process.pid, up.data_dir)
    sockets = sockets_in(up.data_dir)
    code = up.stop(signal.SIGINT)
    return Stopped(code, up.printed, up.url, up.data_dir, processes, sockets)


def test_ctrl_c_ends_it_with_exit_code_0(stopped):
    assert stopped.exit_code == 0
    assert "Traceback" not in stopped.printed


def test_ctrl_c_ends_every_process_it_started(stopped):
    assert len(stopped.processes) >= 5  # itself, Valkey, API, worker, Postgres
    assert alive(stopped.processes) == []


def test_ctrl_c_closes_every_socket(stopped):
    assert len(stopped.sockets) == 2  # of Postgres and Valkey
    assert sockets_in(stopped.data_dir) == []
    assert not listens(stopped.url)


def test_a_broker_that_dies_ends_the_lab_and_is_named(scratch):
    """Otherwise submissions would be taken and wait for ever."""
    up = Up(scratch / "broken")
    started = processes_of(up.process.pid, up.data_dir)
    (valkey,) = [process for process in started if process.name() == "valkey-server"]
    valkey.kill()
    assert up.process.wait(40) == 1
    assert "the broker ended" in up.printed
    assert alive(started) == []


def test_a_port_that_is_taken_is_refused_before_anything_starts(tmp_path):
    """Otherwise whatever answers there would be taken for the lab."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = []
        with (
            pytest.raises(LabError, match=f"cannot listen on port {port} of 127.0.0.1"),
            running_lab(Settings(data_dir=tmp_path, port=port), said.append),
        ):
            pass
    assert said == []


def test_a_free_port_is_taken_as_asked():
    port = free_port("127.0.0.1")
    assert free_port("127.0.0.1", port) == port


def test_a_database_that_does_not_answer_is_named(tmp_path):
    url = f"postgresql://nobody@127.0.0.1:{free_port('127.0.0.1')}/none"
    settings = Settings(data_dir=tmp_path, port=0, database_url=url)
    with (
        pytest.raises(LabError, match="the database does not answer"),
        running_lab(settings, lambda _: None),
    ):
        pass


def test_a_directory_that_postgres_cannot_live_in_is_refused_with_advice(tmp_path):
    settings = Settings(data_dir=tmp_path / "two words", port=0)
    with (
        pytest.raises(LabError, match="set RGLAB_DATA_DIR to another directory"),
        running_lab(settings, lambda _: None),
    ):
        pass

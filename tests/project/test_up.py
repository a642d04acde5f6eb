"""`rglab up` (`make serve`): what it prints, what it leaves, what it refuses."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from commands import WARNINGS, Up, alive, listens, processes_of, shell, sockets_in
from lab_processes import PATIENCE, TINY, until
from typer.testing import CliRunner

from rgclient import Client
from rglab.cli import app
from rglab.cli.up import welcome
from rglab.embedded.lab import Lab, LabError, free_port, running_lab
from rgstore.settings import Settings


def test_it_says_where_it_is_and_where_the_token_is(lab: Up) -> None:
    assert listens(lab.url)
    assert f"The token is in {lab.data_dir / 'credentials.json'}" in lab.printed


def test_only_its_user_can_read_the_token(lab: Up) -> None:
    assert (lab.data_dir / "credentials.json").stat().st_mode & 0o777 == 0o600


def test_the_token_itself_is_not_printed(lab: Up) -> None:
    assert lab.credentials.token not in lab.printed


NO_WARNINGS = {WARNINGS: ""}
"""As in a shell of one's own: files that a line leaves open are closed with it."""


def test_the_curl_lines_submit_when_pasted(lab: Up, default_experiment: str) -> None:
    ran = shell(lab.pasted("with curl"), **NO_WARNINGS)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert json.loads(ran.stdout)["id"] == default_experiment


def test_the_python_line_prints_the_result_when_pasted(lab: Up, default_experiment: str) -> None:
    ran = shell(lab.pasted("in Python"), **NO_WARNINGS)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith(f"Result {default_experiment}: xi = 7")


@pytest.mark.parametrize("name", ["plain", "two words", "it's", "$HOME", '"quoted"'])
def test_the_curl_lines_find_the_token_in_any_directory(tmp_path: Path, name: str) -> None:
    """No server: only the first line, which reads the token, is run."""
    credentials = tmp_path / name / "credentials.json"
    credentials.parent.mkdir()
    credentials.write_text('{"url": "http://lab.test", "token": "rgl_secret"}')
    printed = welcome(Lab("http://lab.test", "rgl_secret", credentials, ()))
    reading = next(line for line in printed.splitlines() if "RGLAB_TOKEN=" in line)
    assert shell(f"{reading.strip()}; echo $RGLAB_TOKEN").stdout == "rgl_secret\n"


def test_a_second_one_on_the_same_data_is_refused(lab: Up) -> None:
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


def test_ctrl_c_ends_it_with_exit_code_0(stopped: Stopped) -> None:
    assert stopped.exit_code == 0
    assert "Traceback" not in stopped.printed


def test_ctrl_c_ends_every_process_it_started(stopped: Stopped) -> None:
    assert len(stopped.processes) >= 5  # itself, Valkey, API, worker, Postgres
    assert alive(stopped.processes) == []


def test_ctrl_c_closes_every_socket(stopped: Stopped) -> None:
    assert len(stopped.sockets) == 2  # of Postgres and Valkey
    assert sockets_in(stopped.data_dir) == []
    assert not listens(stopped.url)


@pytest.fixture(scope="module")
def mortal(scratch: Path) -> Iterator[Up]:
    """A lab whose servers are killed."""
    up = Up(scratch / "mortal")
    yield up
    assert up.stop(signal.SIGTERM) == 0, up.printed


@pytest.mark.parametrize(
    ("program", "name"), [("postgres", "Postgres"), ("valkey-server", "Valkey")]
)
def test_a_server_that_dies_is_started_again_and_said_so(
    mortal: Up, program: str, name: str
) -> None:
    """Otherwise the API would answer 503 for ever, or what it takes would wait for ever."""
    with Client(mortal.url, mortal.credentials.token) as client:
        client.submit(**TINY).wait(PATIENCE, progress=False)
        started = processes_of(mortal.process.pid, mortal.data_dir)
        named = (process for process in started if process.name() == program)
        next(
            process for process in named if not process.cmdline()[0].startswith("postgres:")
        ).kill()
        until(lambda: f"{name} is up again" in mortal.printed)
        assert f"{name} has ended: starting it again" in mortal.printed
        seed = len(name)
        again = client.submit(**TINY, seeds=[seed])
        assert seed in again.wait(PATIENCE, progress=False).seeds


@pytest.mark.slow
def test_a_server_that_dies_again_and_again_ends_the_lab_with_its_log(scratch: Path) -> None:
    """A broken directory does not heal by starting on it."""
    up = Up(scratch / "broken")
    started = processes_of(up.process.pid, up.data_dir)
    appended = up.data_dir / "valkey" / "appendonlydir" / "appendonly.aof.manifest"
    appended.write_text("this is no manifest\n")
    (valkey,) = [process for process in started if process.name() == "valkey-server"]
    valkey.kill()
    assert up.process.wait(PATIENCE) == 1
    assert "Valkey ended 6 times within 60 s; the end of" in up.printed
    assert "manifest" in up.printed.rpartition("the end of")[2]
    assert alive(started) == []


def test_a_port_that_is_taken_is_refused_before_anything_starts(tmp_path: Path) -> None:
    """Otherwise whatever answers there would be taken for the lab."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said: list[str] = []
        with (
            pytest.raises(LabError, match=f"cannot listen on port {port} of 127.0.0.1"),
            running_lab(Settings(data_dir=tmp_path, port=port), said.append),
        ):
            pass
    assert said == []


@pytest.mark.parametrize("host", ["nonsense.invalid", "203.0.113.9"])
def test_of_an_address_that_is_not_this_machines_the_host_is_blamed(host: str) -> None:
    with pytest.raises(LabError, match=rf"{host} \([^(]*\): RGLAB_HOST is an address"):
        free_port(host)


def test_a_free_port_is_taken_as_asked() -> None:
    port = free_port("127.0.0.1")
    assert free_port("127.0.0.1", port) == port


def test_a_database_that_does_not_answer_is_named(tmp_path: Path) -> None:
    url = f"postgresql://nobody@127.0.0.1:{free_port('127.0.0.1')}/none"
    settings = Settings(data_dir=tmp_path, port=0, database_url=url)
    with (
        pytest.raises(LabError, match="the database does not answer"),
        running_lab(settings, lambda _: None),
    ):
        pass


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings = Settings(data_dir=tmp_path / "file" / "lab", port=0)
    with (
        pytest.raises(LabError, match="set RGLAB_DATA_DIR to another"),
        running_lab(settings, lambda _: None),
    ):
        pass


@pytest.mark.parametrize("content", ["", '{"url": "http://127', "[]", '{"url": "http://lab.test"}'])
def test_a_credentials_file_that_was_cut_short_is_said_in_a_sentence(
    tmp_path: Path, content: str
) -> None:
    path = tmp_path / "credentials.json"
    path.write_text(content)
    path.chmod(0o600)
    ran = CliRunner().invoke(app, ["up", "--port", "0"], env={"RGLAB_DATA_DIR": str(tmp_path)})
    assert ran.exit_code == 1
    assert ran.stderr.startswith(f"{path} is not ")
    assert "delete it" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.slow
def test_a_lab_lives_in_a_directory_with_a_space_in_its_name(scratch: Path) -> None:
    """As the user's data directory on macOS has."""
    settings = Settings(data_dir=scratch / "two words", port=0, concurrency=1)
    with running_lab(settings, lambda _: None) as lab, Client(lab.url, lab.token) as client:
        assert len(client.submit(**TINY).wait(PATIENCE, progress=False).seeds) == 3

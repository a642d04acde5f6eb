"""A wrong value on the command line or in the environment: one sentence, exit code 2."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from commands import RGLAB, Up, environment
from lab_processes import PATIENCE, until
from typer.testing import CliRunner

from rglab.cli import app
from rgstore.settings import InvalidSettingError, Settings

NUMBERS = [
    name
    for name, schema in Settings.model_json_schema()["properties"].items()
    if {one.get("type") for one in schema.get("anyOf", [schema])} & {"integer", "number"}
]
WORDS = {
    "RGLAB_DEVICE": ("tpu", "one of auto, cpu, cuda"),
    "RGLAB_BACKEND": ("jax", "one of native, torch"),
    "RGLAB_DATABASE_URL": ("sqlite:///secret", "postgresql://USER:PASSWORD@HOST/DATABASE"),
    "RGLAB_ALLOWED_HOSTS": ("http://lab", "without http:// and port"),
    "RGLAB_PORT": ("99999", "a whole number from 0 to 65535"),
    "RGLAB_CONCURRENCY": ("0", "a whole number from 1 to 256"),
    "RGLAB_MAX_FLOPS": ("0", "a number above 0"),
    "RGLAB_MAX_BODY_BYTES": ("1e3", "a whole number of at least 1000"),
}
PROGRAMS = {
    "rglab": [RGLAB, "token", "list"],
    "rglab up": [RGLAB, "up"],
    "rglab worker": [RGLAB, "worker"],
    "rgservice": [sys.executable, "-m", "rgservice"],
    "rgworker": [sys.executable, "-m", "rgworker"],
}


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", ["abc", "-1", "nan", "inf", "1e400", "9" * 400, "0x10"])
def test_a_number_that_is_none_is_named_with_what_is_allowed(
    name: Any, value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the setting; bounds are the field's own."""
    variable = f"RGLAB_{name.upper()}"
    monkeypatch.setenv(variable, value)
    if value == "9" * 400 and "maximum" not in str(
        Settings.model_json_schema()["properties"][name]
    ):
        return  # large, but allowed
    with pytest.raises(InvalidSettingError, match=rf"^{variable} is .*: allowed is .*number"):
        Settings()


@pytest.mark.parametrize("variable", WORDS)
def test_a_command_says_it_in_one_sentence(variable: Any, tmp_path: Path) -> None:
    value, allowed = WORDS[variable]
    env = {"RGLAB_DATA_DIR": str(tmp_path), variable: value}
    ran = CliRunner().invoke(app, ["token", "list"], env=env)
    assert ran.exit_code == 2
    assert re.fullmatch(rf"{variable} is .*: allowed is .*\n", ran.stderr)
    assert allowed in ran.stderr
    assert "secret" not in ran.stderr


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_program_refuses_a_wrong_setting_alike(program: Any, tmp_path: Path) -> None:
    ran = subprocess.run(
        PROGRAMS[program],
        env=environment(RGLAB_DATA_DIR=str(tmp_path), RGLAB_CONCURRENCY="0"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2
    assert "RGLAB_CONCURRENCY is '0': allowed is a whole number from 1 to 256" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """A compose file passes on what is not set as an empty one."""
    monkeypatch.setenv("RGLAB_PORT", "")
    monkeypatch.setenv("RGLAB_ALLOWED_HOSTS", "")
    assert (Settings().port, Settings().hosts) == (8000, ["localhost", "127.0.0.1", "[::1]"])


def test_the_data_directory_is_the_same_from_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RGLAB_DATA_DIR", "~/lab")
    assert Settings().data_dir == Path.home() / "lab"
    monkeypatch.setenv("RGLAB_DATA_DIR", "lab")
    assert Settings().data_dir == Path.cwd() / "lab"


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["up", "--port", "99999"], "--port"),
        (["up", "--port", "-1"], "--port"),
        (["up", "--port", "abc"], "--port"),
        (["worker", "--concurrency", "0"], "--concurrency"),
        (["worker", "--concurrency", "257"], "--concurrency"),
        (["study", "smoke", "--seeds", "0"], "--seeds"),
        (["study", "smoke", "--seeds", "65"], "--seeds"),
        (["study", "smoke", "--output", "FILE"], "--output"),
        (["study", "smoke", "--output", "FILE/below"], "--output"),
        (["demo", "--output", "FILE"], "--output"),
        (["study", "papier"], "'papier' is no preset"),
    ],
)
def test_an_option_with_a_wrong_value_is_named(arguments: Any, option: str, tmp_path: Path) -> None:
    """Before anything is started or measured."""
    file = tmp_path / "file"
    file.touch()
    given = [argument.replace("FILE", str(file)) for argument in arguments]
    ran = CliRunner().invoke(app, given, env={"RGLAB_DATA_DIR": str(tmp_path / "lab")})
    assert ran.exit_code == 2
    assert option in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (tmp_path / "lab").exists()


def test_the_version_is_that_of_the_package() -> None:
    ran = CliRunner().invoke(app, ["--version"])
    assert (ran.exit_code, ran.stdout) == (0, f"rglab {version('rglab')}\n")


def _loads(pid: int) -> bool:
    """Whether the command line is being imported: numpy's library is mapped half-way through."""
    try:
        return "multiarray" in Path(f"/proc/{pid}/maps").read_text()
    except OSError:
        return True


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="looks into /proc")
@pytest.mark.parametrize("arguments", [["up", "--port", "0"], ["doctor"], ["worker"]], ids=str)
def test_ctrl_c_while_the_program_is_loaded_ends_it_without_a_traceback(
    arguments: Any, tmp_path: Path
) -> None:
    process = subprocess.Popen(
        [RGLAB, *arguments],
        env=environment(RGLAB_DATA_DIR=str(tmp_path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    until(lambda: _loads(process.pid))
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=PATIENCE)
    assert (process.returncode, printed) == (130, "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("file", ["postgres/postmaster.pid", "lab.lock"])
def test_ctrl_c_while_the_lab_starts_leaves_nothing_running(file: str, scratch: Path) -> None:
    data = scratch / f"early-{Path(file).name}"
    log = data.with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [RGLAB, "up", "--port", "0"],
            env=environment(RGLAB_DATA_DIR=str(data)),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    until((data / file).exists)
    started = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 0
    assert "Traceback" not in log.read_text()
    until(lambda: not any(child.is_running() for child in started))
    assert not (data / "postgres" / "postmaster.pid").exists()


def test_a_worker_joins_the_lab_that_runs_on_the_same_data(lab: Up) -> None:
    """`rglab worker` beside `rglab up` is one more worker."""
    process = subprocess.Popen(
        [RGLAB, "worker", "--concurrency", "1"],
        env=environment(RGLAB_DATA_DIR=str(lab.data_dir)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: httpx.get(f"{lab.url}/readyz").json()["workers"] == 2, 200)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)

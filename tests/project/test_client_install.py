"""`pip install ./client` in an environment with nothing in it."""

from __future__ import annotations

import json
import subprocess
import venv
from pathlib import Path

import pytest
from commands import environment, foreign
from markdown import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]  # downloads a dozen wheels

DIRECT = {"httpx", "pydantic", "platformdirs", "tqdm"}
THEIRS = {
    "anyio", "certifi", "h11", "httpcore", "idna", "sniffio",  # of httpx
    "annotated-types", "pydantic-core", "typing-extensions", "typing-inspection",  # of pydantic
}  # fmt: skip
TOOLS = {"pip", "setuptools", "wheel"}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a new environment with the client in it."""
    directory = tmp_path_factory.mktemp("client") / "venv"
    venv.create(directory, with_pip=True)
    path = directory / "bin" / "python"
    _run(path, "-m", "pip", "install", "--quiet", "./client")
    return path


def _run(python: Path, *arguments: str) -> str:
    env = foreign() if arguments[:2] == ("-m", "pip") else environment()
    env.pop("PYTHONPATH", None)
    ran = subprocess.run(
        [python, *arguments], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_it_brings_httpx_pydantic_and_little_else(python: Path) -> None:
    listed = json.loads(_run(python, "-m", "pip", "list", "--format=json"))
    names = {distribution["name"].lower().replace("_", "-") for distribution in listed} - TOOLS
    assert {"rgclient"} | DIRECT <= names
    assert names - {"rgclient"} - DIRECT - THEIRS == set()


def test_it_can_be_used_without_anything_of_the_server(python: Path) -> None:
    code = "import rgclient; print(rgclient.Client('http://lab.test', 'token'))"
    assert "http://lab.test" in _run(python, "-I", "-c", code)


def test_figures_come_along_without_the_library_that_draws(python: Path) -> None:
    listed = _run(python, "-I", "-m", "pip", "show", "--files", "rgclient")
    assert "rgfigures/_registry.py" in listed
    code = "import rgclient, importlib.util as u; print(u.find_spec('matplotlib'))"
    assert _run(python, "-I", "-c", code).strip() == "None"

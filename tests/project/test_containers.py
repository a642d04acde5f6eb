"""The Dockerfile and the compose files name only what exists, and publish only the API."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any

import httpx
import pytest
import yaml
from commands import listens
from lab_processes import until
from markdown import ROOT
from packaging.requirements import Requirement
from typer.core import TyperGroup
from typer.main import get_command

from rglab.cli import app
from rglab.embedded.children import Child
from rglab.embedded.lab import free_port
from rgstore.settings import Settings

VARIABLES = {f"RGLAB_{name.upper()}" for name in Settings.model_fields}
CLIENTS = {"RGLAB_URL", "RGLAB_TOKEN"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def _compose(name: str) -> dict[str, dict[str, Any]]:
    services: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / name).read_text())["services"]
    return services


def _dockerfile() -> dict[str, list[tuple[str, str]]]:
    """Stage -> (instruction, argument), those of the stage it starts from first."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    stages: dict[str, list[tuple[str, str]]] = {}
    for line in text.replace("\\\n", " ").splitlines():
        if not line.strip():
            continue
        instruction, argument = line.split(maxsplit=1)
        if instruction == "FROM":
            source, _, name = argument.split()
            stage = stages[name] = list(stages.get(source, []))
        else:
            stage.append((instruction, argument))
    return stages


SERVICES = _compose("docker-compose.yml")
GPU = _compose("docker-compose.gpu.yml")
STAGES = _dockerfile()
TARGETS = ("service", "worker")
OURS = ("migrate", "service", "worker")


def _arguments(stage: str, instruction: str) -> list[str]:
    return [argument for name, argument in STAGES[stage] if name == instruction]


def _module_exists(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


# ------------------------------------------------------------------ Dockerfile


@pytest.mark.parametrize("target", TARGETS)
def test_a_container_does_not_run_as_root(target: Any) -> None:
    (user,) = _arguments(target, "USER")
    assert user != "root"
    assert any(line.startswith("useradd") and user in line for line in _arguments(target, "RUN"))


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_runs_as_root_after_the_user_is_set(target: Any) -> None:
    instructions = [instruction for instruction, _ in STAGES[target]]
    assert "RUN" not in instructions[instructions.index("USER") :]


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_installed_exists(target: Any) -> None:
    install = next(line for line in _arguments(target, "RUN") if line.startswith("pip install"))
    _, _, option, constraints, client, rglab = shlex.split(install)
    assert (option, (ROOT / constraints).is_file()) == ("-c", True)
    assert (ROOT / client / "pyproject.toml").is_file()
    assert rglab == f".[{target}]"
    assert target in PROJECT["optional-dependencies"]


def test_the_service_brings_no_torch() -> None:
    brought = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["service"]
    names = {Requirement(one).name.lower() for one in brought}
    assert not names & {"torch", "rglab"}


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_copied_exists_and_is_not_ignored(target: Any) -> None:
    copied = [word for line in _arguments(target, "COPY") for word in line.split()[:-1]]
    assert copied
    assert [name for name in copied if not (ROOT / name).exists() or _ignored(name)] == []


@pytest.mark.parametrize("name", [".git", ".venv", ".env", "tests", "demo-output"])
def test_what_is_no_part_of_the_image_stays_out_of_the_build(name: str) -> None:
    assert _ignored(name)


def _ignored(name: str) -> bool:
    """Whether .dockerignore leaves a path out: the last line that matches it decides."""
    ignored = False
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line and not line.startswith("#"):
            pattern = line.removeprefix("!")
            if fnmatch(name, pattern) or fnmatch(name, pattern.removeprefix("**/")):
                ignored = not line.startswith("!")
    return ignored


@pytest.mark.parametrize("target", TARGETS)
def test_all_packages_are_copied(target: Any) -> None:
    copied = {word for line in _arguments(target, "COPY") for word in line.split()[:-1]}
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    packages = wheel["targets"]["wheel"]["packages"]
    assert {PurePosixPath(package).parts[0] for package in packages} <= copied


@pytest.mark.parametrize("target", TARGETS)
def test_it_starts_a_module_that_exists(target: Any) -> None:
    (command,) = _arguments(target, "CMD")
    python, option, module, *_ = yaml.safe_load(command)
    assert (python, option) == ("python", "-m")
    assert _module_exists(f"{module}.__main__")


def test_the_api_listens_beyond_its_container_on_the_port_it_exposes() -> None:
    (command,) = _arguments("service", "CMD")
    words = yaml.safe_load(command)
    assert words[words.index("--host") + 1] == "0.0.0.0"
    assert [words[words.index("--port") + 1]] == _arguments("service", "EXPOSE")


# -------------------------------------------------------------- docker-compose


@pytest.mark.parametrize("name", OURS)
def test_a_service_is_built_from_a_target_that_exists(name: Any) -> None:
    build = SERVICES[name]["build"]
    assert build["context"] == "."
    assert build["target"] in STAGES


@pytest.mark.parametrize("services", [SERVICES, GPU], ids=["compose", "gpu"])
def test_every_variable_is_a_setting(services: Any) -> None:
    given = {name for service in services.values() for name in service.get("environment", {})}
    ours = {name for name in given if name.startswith("RGLAB_")}
    assert ours
    assert ours - VARIABLES - CLIENTS == set()


@pytest.mark.parametrize("name", OURS)
def test_each_of_ours_is_told_where_database_and_broker_are(name: Any) -> None:
    environment = SERVICES[name]["environment"]
    assert "@postgres:5432/" in environment["RGLAB_DATABASE_URL"]
    assert environment["RGLAB_BROKER_URL"] == "redis://broker:6379/0"
    assert {"postgres", "broker"} <= set(SERVICES)


def test_there_is_no_password_in_the_file() -> None:
    given = SERVICES["postgres"]["environment"]["POSTGRES_PASSWORD"]
    assert given.startswith("${POSTGRES_PASSWORD:?")  # compose refuses to start without it


def test_only_the_api_is_published() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    (port,) = _arguments("service", "EXPOSE")
    assert published == {"service": [f"{port}:{port}"]}


BECOMING = {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}
"""What an image that starts as root takes to become a user of its own."""


@pytest.mark.parametrize("name", SERVICES)
def test_no_container_can_gain_a_privilege_or_write_but_where_it_must(name: Any) -> None:
    service = SERVICES[name]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"] is True
    assert "/tmp" in service["tmpfs"]
    assert not {"privileged", "network_mode", "pid", "ipc", "devices"} & set(service)
    assert set(service.get("cap_add", [])) <= (set() if name in OURS else BECOMING)
    mounted = [mount.partition(":")[0] for mount in service.get("volumes", [])]
    assert not [mount for mount in mounted if mount.startswith((".", "/", "~"))]


@pytest.mark.parametrize("name", ["postgres", "broker"])
def test_an_image_of_others_is_of_a_stated_version(name: str) -> None:
    _, _, tag = SERVICES[name]["image"].partition(":")
    assert re.match(r"\d", tag)


def test_the_base_is_of_a_stated_version() -> None:
    base = re.findall(r"^FROM (\S+) AS base$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert [re.fullmatch(r"python:3\.\d+-slim", one) is not None for one in base] == [True]


def test_the_migration_runs_once_before_service_and_worker() -> None:
    migrate = SERVICES["migrate"]
    assert migrate["restart"] == "no"
    for name in ("service", "worker"):
        assert SERVICES[name]["depends_on"]["migrate"] == {
            "condition": "service_completed_successfully"
        }


def test_the_migration_is_a_command_that_exists() -> None:
    program, command = SERVICES["migrate"]["command"]
    assert (program, PROJECT["scripts"]["rglab"]) == ("rglab", "rglab.cli:main")
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    assert command in group.commands


@pytest.mark.parametrize("name", ["service", "worker"])
def test_its_health_is_asked_by_a_module_that_exists(name: str) -> None:
    kind, python, option, module, *_ = SERVICES[name]["healthcheck"]["test"]
    assert (kind, python, option) == ("CMD", "python", "-m")
    assert _module_exists(module)


def test_the_health_of_the_service_is_asked_where_it_listens() -> None:
    *_, url = SERVICES["service"]["healthcheck"]["test"]
    (port,) = _arguments("service", "EXPOSE")
    assert url == f"http://127.0.0.1:{port}/readyz"


@pytest.mark.parametrize("hosts", ["lab.example", "lab.example,10.0.0.7", "*"])
def test_the_service_is_healthy_whatever_names_it_answers_to(
    hosts: str, database_url: str, tmp_path: Path
) -> None:
    """The command of the compose file, against an API that is told its names as compose does."""
    given = SERVICES["service"]["environment"]["RGLAB_ALLOWED_HOSTS"]
    assert given.startswith("${RGLAB_ALLOWED_HOSTS:-")
    port = free_port("127.0.0.1")
    env = {
        "RGLAB_DATABASE_URL": database_url,
        "RGLAB_BROKER_URL": "redis://127.0.0.1:1",
        "RGLAB_ALLOWED_HOSTS": hosts,
    }
    log = tmp_path / "api.log"
    api = Child("API", ["rgservice", "--port", str(port)], log=log, env=env)
    try:
        until(lambda: listens(f"http://127.0.0.1:{port}"))
        _, _, *arguments, url = SERVICES["service"]["healthcheck"]["test"]
        here = url.replace(":8000/", f":{port}/")
        ran = subprocess.run([sys.executable, *arguments, here], check=False)
        assert ran.returncode == 0
        told = httpx.get(f"http://127.0.0.1:{port}/metrics").status_code
        assert told == (200 if hosts == "*" else 421)
    finally:
        api.stop()


@pytest.mark.parametrize("name", SERVICES)
def test_what_it_waits_for_can_come_true(name: Any) -> None:
    """Healthy needs a health check, completed a service that ends."""
    for other, need in SERVICES[name].get("depends_on", {}).items():
        if need["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other]
        else:
            assert SERVICES[other]["restart"] == "no"


def test_the_broker_keeps_its_messages_on_disk() -> None:
    command = SERVICES["broker"]["command"]
    assert command[command.index("--appendonly") + 1] == "yes"
    assert SERVICES["broker"]["volumes"] == ["broker:/data"]


def test_named_volumes_are_declared() -> None:
    declared = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["volumes"]
    mounted = {mount for service in SERVICES.values() for mount in service.get("volumes", [])}
    assert {mount.partition(":")[0] for mount in mounted} == set(declared)


def test_a_worker_has_time_to_give_its_runs_back() -> None:
    """SIGTERM, then up to 20 s until a supervisor would kill it; compose's default is 10 s."""
    assert int(SERVICES["worker"]["stop_grace_period"].removesuffix("s")) >= 20


def test_the_gpu_file_changes_the_worker_alone() -> None:
    assert set(GPU) == {"worker"}
    assert GPU["worker"]["environment"] == {"RGLAB_DEVICE": "cuda"}
    (device,) = GPU["worker"]["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": "all", "capabilities": ["gpu"]}


def test_no_service_of_the_main_file_needs_a_gpu() -> None:
    assert not any("deploy" in service for service in SERVICES.values())

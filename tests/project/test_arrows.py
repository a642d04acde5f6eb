"""Arrows that no import shows: programs started by name, tasks sent by name, commands of images.

`lint-imports` sees imports. What is named by a string is held to the same layers here: it is there,
and whoever names it may use it, or starts it at a seam that is listed.
"""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest
import yaml
from markdown import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LINTER = PROJECT["tool"]["importlinter"]
HOUSES = ("client", "service", "worker", ".")
"""Where the packages are."""
PACKAGES: dict[str, Path] = {
    name: next(ROOT / house / name for house in HOUSES if (ROOT / house / name).is_dir())
    for name in LINTER["root_packages"]
}
SEAMS = {("rglab", "rgworker"), ("rglab", "rgkernels")}
"""Who starts whom as a process without importing it: the operator's commands start workers and
ask what there is to train with."""
NO_MODULES = {"rglab.measure": "rgstore.messages", "rglab.now": "rgstore.clock"}
"""Dotted names that are no modules, a task and a setting of Postgres -> the one that says them."""
NAME = re.compile(rf"({'|'.join(PACKAGES)})(\.\w+)*")


@dataclass(frozen=True)
class Named:
    """A module that a source names by a string."""

    source: str
    target: str


def module_of(path: Path, package: str) -> str:
    """The dotted name of a file."""
    parts = path.relative_to(PACKAGES[package].parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def sources() -> Iterator[tuple[str, str]]:
    """Every module of ours with its text."""
    for package, folder in PACKAGES.items():
        for path in sorted(folder.rglob("*.py")):
            yield module_of(path, package), path.read_text()


def file_of(module: str) -> Path | None:
    """The file that `python -m` would run, or that has this name; None if there is none."""
    package, *steps = module.split(".")
    if package not in PACKAGES:
        return None
    path = PACKAGES[package].joinpath(*steps)
    found = (path.with_suffix(".py"), path / "__main__.py")
    return next((one for one in found if one.is_file()), None)


def strings(text: str) -> list[str]:
    """The strings of a source that are nothing but a dotted name of ours."""
    return [
        node.value
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and NAME.fullmatch(node.value)
    ]


def faults(module: str, text: str) -> list[str]:
    """What a source names that is not there, or that it may not use."""
    found = []
    for name in strings(text):
        if name in NO_MODULES:
            if module != NO_MODULES[name]:
                found.append(f"{module} writes {name} out; it is said in {NO_MODULES[name]}")
        elif file_of(name) is None:
            if "." in name:
                found.append(f"{module} names {name}, which is not there")
        elif not allowed(module.partition(".")[0], name.partition(".")[0]):
            found.append(f"{module} names {name}, which it may not use")
    return found


def allowed(source: str, target: str) -> bool:
    """Whether a package may use another, by the layers, or starts it at a seam."""
    return (
        source == target or (source, target) in SEAMS or (source, target) not in forbidden_pairs()
    )


def forbidden_pairs() -> set[tuple[str, str]]:
    """Packages that may not use each other, as `lint-imports` has them."""
    pairs: set[tuple[str, str]] = set()
    for contract in LINTER["contracts"]:
        if contract["type"] == "forbidden":
            pairs |= set(product(contract["source_modules"], contract["forbidden_modules"]))
        elif contract["layers"][0] in PACKAGES:
            layers = [layer.split(" | ") for layer in contract["layers"]]
            for above, below in ((a, b) for i, a in enumerate(layers) for b in layers[i:]):
                pairs |= {pair for pair in product(below, above) if pair[0] != pair[1]}
    return pairs


def test_what_is_named_by_a_string_is_there_and_may_be_used() -> None:
    assert [fault for module, text in sources() for fault in faults(module, text)] == []


def test_the_processes_that_are_started_are_among_what_is_looked_at() -> None:
    named = {Named(module, name) for module, text in sources() for name in strings(text)}
    assert {
        Named("rglab.embedded.lab", "rgservice"),
        Named("rglab.embedded.lab", "rgworker"),
        Named("rglab.cli.admin", "rgworker.calibrate"),
        Named("rgworker.process", "rgworker.trainer"),
        Named("rgstore.messages", "rglab.measure"),
    } <= named


@pytest.mark.parametrize(
    ("module", "line", "fault"),
    [
        ("rgservice.app", 'run([python, "-m", "rgworker.trainer"])', "which it may not use"),
        ("rgstore.upkeep", 'start("rgservice")', "which it may not use"),
        ("rgworker.process", 'start("rglab.cli.become")', "which it may not use"),
        ("rgcontract.files", 'import_module("rgstore.tables.base")', "which it may not use"),
        ("rgworker.process", 'run([python, "-m", "rgworker.trainr"])', "which is not there"),
        ("rgworker.ear", 'app.task(name="rglab.measure")', "it is said in rgstore.messages"),
    ],
)
def test_a_string_that_runs_up_or_leads_nowhere_is_found(
    module: str, line: str, fault: str
) -> None:
    (found,) = faults(module, line)
    assert found.endswith(fault)


def _calls(text: str) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            function = node.func
            yield getattr(function, "attr", getattr(function, "id", "")), node


def test_a_task_is_sent_and_taken_by_the_constant_that_names_it() -> None:
    names = [
        (module, ast.unparse(name))
        for module, text in sources()
        for called, call in _calls(text)
        if called == "send_task" or (called == "task" and call.keywords)
        for name in (call.args[:1] or [word.value for word in call.keywords if word.arg == "name"])
    ]
    assert sorted(names) == [("rgstore.messages", "MEASURE"), ("rgworker.ear", "MEASURE")]


def test_modules_are_loaded_by_a_computed_name_at_three_seams() -> None:
    loading = {
        module
        for module, text in sources()
        for called, _ in _calls(text)
        if called in {"import_module", "__import__"} and not module.startswith("rgclient.")
    }
    assert loading == {"rglab.cli.become", "rgcore.observables", "rgcore.chain.families"}


def test_uvicorn_is_handed_the_application_and_not_its_name() -> None:
    (run,) = [
        call
        for module, text in sources()
        if module == "rgservice.__main__"
        for called, call in _calls(text)
        if called == "run" and ast.unparse(call.func) == "uvicorn.run"
    ]
    assert isinstance(run.args[0], ast.Name)


IMAGES = {"service": {"rgservice", "rglab"}, "worker": {"rgworker"}}
"""Image -> the packages whose programs run in it: the first has no torch."""


def _image_commands() -> Iterator[tuple[str, list[str]]]:
    """Image -> each command that is run in it."""
    stages = re.split(r"^FROM \S+ AS (\w+)$", (ROOT / "Dockerfile").read_text(), flags=re.M)
    for stage, body in zip(stages[1::2], stages[2::2], strict=True):
        for command in re.findall(r"^CMD (\[.*\])$", body, flags=re.M):
            yield stage, json.loads(command)
    for part in yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"].values():
        if "build" in part:
            image = part["build"]["target"]
            if "command" in part:
                yield image, part["command"]
            if "healthcheck" in part:
                yield image, part["healthcheck"]["test"][1:]


def test_the_commands_of_the_images_are_programs_of_theirs() -> None:
    commands = list(_image_commands())
    assert len(commands) >= 5
    for image, command in commands:
        if command[:2] == ["python", "-m"]:
            assert file_of(command[2]) is not None, command
            package = command[2].partition(".")[0]
        else:
            assert command[0] in PROJECT["project"]["scripts"], command
            package = PROJECT["project"]["scripts"][command[0]].partition(".")[0]
        assert package in IMAGES[image], command


@pytest.mark.parametrize("pyproject", ["pyproject.toml", "client/pyproject.toml"])
def test_an_installed_command_is_a_function_that_is_there(pyproject: str) -> None:
    scripts = tomllib.loads((ROOT / pyproject).read_text())["project"].get("scripts", {})
    for target in scripts.values():
        module, _, function = target.partition(":")
        package, *steps = module.split(".")
        path = PACKAGES[package].joinpath(*steps)
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        defined = ast.parse(path.read_text()).body
        assert function in {getattr(node, "name", None) for node in defined}, target


def test_alembic_is_pointed_at_the_migrations() -> None:
    place = PROJECT["tool"]["alembic"]["script_location"]
    assert (ROOT / place.replace("%(here)s", ".")).resolve() == PACKAGES["migrations"].resolve()

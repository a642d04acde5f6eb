"""constraints.txt names a version of all that is installed, for every Python and platform."""

from __future__ import annotations

import re
import sys
import tomllib
from typing import Any

import pytest
from markdown import ROOT
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts import lock

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
OURS = {"rglab", "rgclient"}


TEXT = (ROOT / "constraints.txt").read_text(encoding="utf-8")
LOCKED = lock.read(TEXT)


def _wanted() -> dict[str, Requirement]:
    """What both distributions depend on, extras included, as it is written."""
    found = {}
    for page in ("pyproject.toml", "client/pyproject.toml"):
        project = tomllib.loads((ROOT / page).read_text(encoding="utf-8"))["project"]
        extras = project["optional-dependencies"].values()
        for line in (*project["dependencies"], *(line for extra in extras for line in extra)):
            if canonicalize_name(Requirement(line).name) not in OURS:
                found[line] = Requirement(line)
    return found


def _versions(name: str, python: str) -> list[str]:
    environment = {"python_version": python}
    return [
        str(one.specifier).removeprefix("==")
        for one in LOCKED
        if canonicalize_name(one.name) == canonicalize_name(name)
        and (one.marker is None or one.marker.evaluate(environment))
    ]


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("wanted", _wanted())
def test_a_dependency_has_one_version_and_it_is_within_its_range(wanted: Any, python: Any) -> None:
    requirement = Requirement(wanted)
    (version,) = _versions(requirement.name, python)
    assert requirement.specifier.contains(version), f"{wanted}, locked at {version}"


def test_no_distribution_has_two_versions_on_one_python() -> None:
    names = {canonicalize_name(one.name) for one in LOCKED}
    twice = {name for name in names for python in PYTHONS if len(_versions(name, python)) > 1}
    assert twice == set()


def test_each_line_is_one_public_version_and_nothing_of_a_host_or_a_build() -> None:
    """No index, no link, no hash, no `+cpu`: pip's own configuration says where wheels are from."""
    on = r'python_version (>=|==) "3\.\d+"'
    line = re.compile(rf"[A-Za-z0-9._-]+==[0-9][0-9a-z.]*( ; {on}( or {on})*)?")
    lines = [one for one in TEXT.splitlines() if not one.startswith("#")]
    assert [one for one in lines if not line.fullmatch(one)] == []


def test_the_oldest_and_a_new_python_were_asked() -> None:
    asked = re.findall(r"\d\.\d+", TEXT.splitlines()[0])
    assert "3.11" in asked
    assert "3.13" in asked


def test_what_we_run_on_has_the_locked_torch() -> None:
    import torch

    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert _versions("torch", running) == [torch.__version__.partition("+")[0]]


def test_a_version_that_is_not_the_same_for_all_has_a_marker() -> None:
    versions = {
        "a": {"3.11": "1", "3.12": "1", "3.13": "1"},
        "b": {"3.11": "1", "3.12": "2", "3.13": "2"},
        "c": {"3.11": "1", "3.12": "1", "3.13": "2"},
        "d": {"3.11": "3"},
    }
    assert lock.text(versions).splitlines()[1:] == [
        "a==1",
        'b==1 ; python_version == "3.11"',
        'b==2 ; python_version >= "3.12"',
        'c==1 ; python_version == "3.11" or python_version == "3.12"',
        'c==2 ; python_version >= "3.13"',
        'd==3 ; python_version == "3.11"',
    ]


@pytest.mark.parametrize("name", ["nvidia-cublas", "cuda-toolkit", "triton"])
def test_what_some_builds_of_torch_bring_is_not_locked(name: str) -> None:
    assert lock.OF_A_BUILD.fullmatch(name)
    assert _versions(name, "3.11") == []

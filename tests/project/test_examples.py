"""The examples in docstrings, run as they stand; a warning in one is an error, as everywhere."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest

import rgclient
import rgcontract
import rgcore

PACKAGES = {package.__name__: package for package in (rgclient, rgcontract, rgcore)}


def _modules(name: str) -> Iterator[str]:
    yield name
    for module in pkgutil.walk_packages(PACKAGES[name].__path__, f"{name}."):
        yield module.name


def _examples() -> Iterator[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    for package in PACKAGES:
        for name in _modules(package):
            found = finder.find(importlib.import_module(name))
            yield from (test for test in found if test.examples)


EXAMPLES = {example.name: example for example in _examples()}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_gives_what_stands_under_it(name: Any) -> None:
    said: list[str] = []
    ran = doctest.DocTestRunner().run(EXAMPLES[name], out=said.append, clear_globs=False)
    assert ran.failed == 0, "".join(said)
    assert ran.attempted > 0


@pytest.mark.parametrize(
    "name", ["rgcontract", "rgcore.chain", "rgcore.claims", "rgcore.observables"]
)
def test_the_functions_of_a_public_room_have_examples(name: str) -> None:
    assert len([example for example in EXAMPLES if example.startswith(name)]) >= 3

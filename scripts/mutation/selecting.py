"""A pytest plugin: of the files that are collected, run the tests in a list, in its order."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

LIST = "MUTATION_TESTS"
"""Environment variable: a file with the tests, as JSON."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep those in the list. What a module sets up is set up once: its tests stay together."""
    order = {
        test: place for place, test in enumerate(json.loads(Path(os.environ[LIST]).read_text()))
    }
    kept = [item for item in items if item.nodeid in order]
    first: dict[str, int] = {}
    for item in kept:
        module = item.nodeid.split("::")[0]
        first[module] = min(first.get(module, len(order)), order[item.nodeid])
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in order])
    items[:] = sorted(kept, key=lambda one: (first[one.nodeid.split("::")[0]], order[one.nodeid]))

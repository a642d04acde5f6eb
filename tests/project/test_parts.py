"""The list of what is installed is whole; what could not be asked is not said to be sound."""

from __future__ import annotations

import json
from importlib.metadata import distributions
from typing import Any

import pytest

from scripts.parts import unlisted, verdict

INSTALLED = [{"name": one.name, "version": one.version} for one in distributions()]


def _answer(*packages: dict[str, Any]) -> str:
    return json.dumps({"dependencies": packages})


SOUND = {"name": "a", "version": "1", "vulns": []}
UNKNOWN = {"name": "b", "skip_reason": "not found"}
HOLE = {"name": "c", "version": "2", "vulns": [{"id": "X-1", "fix_versions": ["2.1"]}]}


def test_a_whole_list_leaves_nothing_out() -> None:
    bom = {"bomFormat": "CycloneDX", "components": INSTALLED}
    assert unlisted(bom) == []


def test_what_is_left_out_or_of_another_version_is_named() -> None:
    first, _, *rest = INSTALLED
    bom = {"bomFormat": "CycloneDX", "components": [{**first, "version": "0"}, *rest]}
    assert len(unlisted(bom)) == 2


def test_something_else_is_no_list() -> None:
    with pytest.raises(ValueError, match="not of CycloneDX"):
        unlisted({})


@pytest.mark.parametrize(
    ("answer", "errors", "said", "holes"),
    [
        (_answer(SOUND), "", "no hole is known of 1 packages", False),
        (_answer(SOUND, UNKNOWN), "", "no hole is known of 1 packages; 1 others are not", False),
        (_answer(UNKNOWN), "", "could not be asked for: the index knows none of 1", False),
        (_answer(SOUND, HOLE), "", "c 2: X-1, mended in 2.1", True),
        ("", "warning\nno route to host\n", "could not be asked for: no route to host", False),
        ("", "", "could not be asked for: it said nothing", False),
    ],
)
def test_what_is_known_is_said_and_what_is_not(
    answer: str, errors: str, said: str, holes: bool
) -> None:
    told, found = verdict(answer, errors)
    assert said in told
    assert found is holes

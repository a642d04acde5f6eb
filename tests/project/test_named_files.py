"""Files that a page names are there: a page that leads nowhere is out of date."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from markdown import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("findings/*.md")])
HOUSES = ("", "client", "service", "worker")
"""A page may leave out the folder that a package is in."""
NAMED = re.compile(
    r"\b((?:rg\w+|client|service|worker|tests|scripts|migrations|docs)/[\w./-]+\.(?:py|md|json|toml))"
)


def missing(text: str) -> list[str]:
    """Files that a text names and that are not there."""
    named = set(NAMED.findall(text))
    return sorted(path for path in named if not any((ROOT / at / path).exists() for at in HOUSES))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    assert missing(page.read_text()) == []


def test_a_file_that_is_not_there_is_found() -> None:
    text = "`rgstore/leases.py` and `rgstore/clock.py`, tests/store/test_none.py"
    assert missing(text) == ["rgstore/leases.py", "tests/store/test_none.py"]

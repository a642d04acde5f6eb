"""Mutants change what a test can notice, stay where code moves, and are tried with its tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from markdown import ROOT

from scripts.mutation.choosing import MOST_SECONDS, Choosing
from scripts.mutation.mutant import Mutant
from scripts.mutation.recording import digest
from scripts.mutation.sample import sample
from scripts.mutation.sites import sites
from scripts.mutation.trial import End, tried

PACKAGE = "client/rgcontract"
CODE = '''"""A module."""
LEAST = 3


def enough(n: int, least: int = LEAST) -> bool:
    """Whether n is enough."""
    if n < 0:
        raise ValueError(f"{n} is below {0}")
    while n > 9:
        n -= 5
    return n >= least
'''
TESTS = """
import pytest
from rgcontract.counts import enough

def test_three_are_enough():
    assert enough(3)
    assert not enough(2)
    assert enough(10)

def test_less_than_nothing_is_refused():
    with pytest.raises(ValueError):
        enough(-1)
"""
THREE = "tests/contract/test_counts.py::test_three_are_enough"
NOTHING = "tests/contract/test_counts.py::test_less_than_nothing_is_refused"
ALL = [THREE, NOTHING]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A package of one module with its tests, and the plugin that selects among them."""
    for name, text in {
        f"{PACKAGE}/__init__.py": "",
        f"{PACKAGE}/counts.py": CODE,
        "tests/contract/test_counts.py": TESTS,
        "tests/store/test_other.py": "",
        "tests/conftest.py": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    selecting = tmp_path / "scripts" / "mutation"
    selecting.mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "mutation" / "selecting.py", selecting)
    return tmp_path


def changes(tree: Path) -> dict[str, Mutant]:
    return {f"{one.line} {one.change(tree)}": one for one in sites(tree, PACKAGE)}


def test_what_can_fail_is_changed_and_what_is_said_is_not(tree: Path) -> None:
    assert list(changes(tree)) == [
        "2 3 -> 4",
        "7 < -> <=",
        "7 0 -> 1",
        '8 raise ValueError(f"{n} is below {0}") -> pass',
        "9 > -> >=",
        "9 9 -> 10",
        "10 -= -> +=",
        "10 5 -> 6",
        "11 n >= least -> None",
        "11 >= -> >",
    ]


def test_code_that_moves_keeps_its_mutants(tree: Path) -> None:
    def chosen(seed: int = 1) -> list[str]:
        return [one.change(tree) for one in sample(tree, [PACKAGE], 3, seed)]

    before = chosen()
    module = tree / PACKAGE / "counts.py"
    module.write_text(module.read_text().replace("LEAST = 3", "LEAST = 3\n\nFIRST = 1\n\n"))
    assert len({*before, *chosen()}) <= 4  # a new line may take the place of one
    assert len(before) == 3
    assert any(chosen(seed) != before for seed in range(2, 9))


def test_no_line_has_two_of_a_sample(tree: Path) -> None:
    lines = [one.line for one in sample(tree, [PACKAGE], 100, 1)]
    assert sorted(lines) == [2, 7, 8, 9, 10, 11]


@pytest.mark.parametrize(
    ("change", "end", "test"),
    [
        ('8 raise ValueError(f"{n} is below {0}") -> pass', End.KILLED, NOTHING),
        ("9 9 -> 10", End.SURVIVED, ""),
    ],
)
def test_a_mutant_is_tried_until_a_test_fails_and_taken_back(
    tree: Path, change: str, end: End, test: str
) -> None:
    trial = tried(tree, changes(tree)[change], ALL, 1.0)
    assert (trial.end, trial.test) == (end, test)
    assert (tree / PACKAGE / "counts.py").read_text() == CODE


def test_without_tests_nothing_is_tried(tree: Path) -> None:
    mutant = changes(tree)["9 9 -> 10"]
    assert tried(tree, mutant, [], 0.0).end is End.NO_TEST
    assert tried(tree, mutant, ["tests/contract/test_counts.py::gone"], 0.0).end is End.NO_TEST


def test_tests_that_touch_the_line_are_chosen_the_quick_ones_first(tree: Path) -> None:
    file = f"{PACKAGE}/counts.py"
    seconds = {THREE: 2.0, NOTHING: 1.0, "other": 0.1, "long": MOST_SECONDS + 1}
    lines = {file: {"7": [THREE, NOTHING, "long"], "9": [THREE]}}
    choosing = Choosing(tree, seconds, lines)
    assert choosing.tests_of(changes(tree)["7 < -> <="]) == [NOTHING, THREE]
    assert choosing.tests_of(changes(tree)["9 9 -> 10"]) == [THREE]


def test_a_constant_has_the_tests_that_touch_a_line_which_names_it(tree: Path) -> None:
    file = f"{PACKAGE}/counts.py"
    other = "tests/store/test_other.py::test_x"
    choosing = Choosing(tree, {THREE: 2.0, other: 1.0}, {file: {"5": [other]}})
    assert choosing.tests_of(changes(tree)["2 3 -> 4"]) == [other, THREE]


def test_a_recording_is_kept_until_its_tests_what_they_share_or_the_code_change(
    tree: Path,
) -> None:
    first = digest(tree, "tests/contract")
    (tree / "tests/store/test_other.py").write_text("1")
    assert digest(tree, "tests/contract") == first
    seen = {first}
    for changed in ("tests/contract/test_counts.py", "tests/conftest.py", f"{PACKAGE}/counts.py"):
        (tree / changed).write_text("2")
        seen.add(digest(tree, "tests/contract"))
    assert len(seen) == 4

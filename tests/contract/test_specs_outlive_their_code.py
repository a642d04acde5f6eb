"""What is stored under a name is found by it, whatever fields specs get later.

The later release is this one, in a copy of the wire contract in which every section has a field
more, and every enumeration a value.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from golden_names import NAMES

import rgcontract
from rgcontract import ExperimentSpec, Submission
from rgcontract.fields import rows

GOLDEN = json.loads(NAMES.read_text())
LATER = (
    "    later: Annotated[float, About(since=2, as_before=0.5{more})] = 0.25\n"
    '    """Came later; its default is not what all had before."""\n'
)
FAMILIES: dict[str, dict[str, Any]] = {
    "explicit": {"matrix": [[0.5, 0.5], [0.25, 0.75]]},
    "spectrum": {"eigenvalues": [0.5, 0.25]},
}
CHAINS = [
    {"family": family, **FAMILIES.get(family, {})}
    for family in ("potts", "ring", "random_reversible", "hierarchical", "spectrum", "explicit")
]
ASK = """
import json, sys
from rgcontract import *

from golden_names import names_of

def answer(asked):
    spec = Submission.model_validate_json(json.dumps(asked))
    stored = kept(spec.spec, "json")
    back = StoredSpec.model_validate({**stored, "seeds": tuple(spec.seeds)}, strict=False)
    return {
        "names": names_of(asked), "schema": schema_of(spec), "kept": stored,
        "full": spec.model_dump(mode="json"), "again": measurement_hash(back),
    }

print(json.dumps([answer(one) for one in json.load(sys.stdin)]))
"""


def _with_a_field_more(source: str) -> str:
    """The source with a field at the head of every class of a spec."""
    lines = source.splitlines(keepends=True)
    found = [
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef) and node.name in {*SECTIONS, "ExperimentSpec"}
    ]
    for node in sorted(found, key=lambda one: -one.lineno):
        end = node.body[0].end_lineno  # of its docstring
        assert end is not None
        more = ", decides=Decides.WEIGHTS" if node.name == "ExperimentSpec" else ""
        lines.insert(end, LATER.format(more=more))
    return "".join(lines)


SECTIONS = {
    "DataSpec", "ModelSpec", "TrainingSpec", "MeasurementSpec",
    "PottsChain", "RingChain", "RandomReversibleChain", "HierarchicalChain", "SpectrumChain",
    "ExplicitChain",
}  # fmt: skip


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the later release makes of specs."""
    directory = tmp_path_factory.mktemp("later")
    contract = directory / "rgcontract"
    shutil.copytree(Path(rgcontract.__file__).parent, contract)
    for module in ("spec", "chains"):
        path = contract / f"{module}.py"
        path.write_text(_with_a_field_more(path.read_text()))
    spec = (contract / "spec.py").read_text()
    spec, times = re.subn(r"(?m)^SCHEMA = \d+$", "SCHEMA = 2", spec)
    assert times == 1
    (contract / "spec.py").write_text(spec)

    def answers(asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
        found = subprocess.run(
            [sys.executable, "-c", ASK],
            input=json.dumps(asked),
            env={**os.environ, "PYTHONPATH": f"{directory}:{NAMES.parents[2] / 'support'}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert found.returncode == 0, found.stderr
        told: list[dict[str, Any]] = json.loads(found.stdout)
        return told

    return answers


def _written_before(spec: dict[str, Any]) -> dict[str, Any]:
    return {**spec, "schema": 1}


def _with_later(spec: dict[str, Any], path: str, value: float) -> dict[str, Any]:
    """A spec written in the first form, with a value of one of the later fields."""
    section, _, name = path.rpartition(".")
    part = {**spec.get(section, {}), name: value}
    return _written_before({**spec, **({section: part} if section else part)})


def test_the_golden_names_are_of_every_family_and_choice() -> None:
    assert len(GOLDEN) >= 60
    written = [json.loads(json.dumps(one["spec"])) for one in GOLDEN]
    read = [
        Submission.model_validate_json(json.dumps(one)).model_dump(mode="json") for one in written
    ]
    for row in rows(ExperimentSpec):
        section, _, name = row.path.rpartition(".")
        values = [spec[section].get(name) for spec in read] if section else []
        used = {
            one
            for value in values
            for one in (value if isinstance(value, list) else [value])
            if isinstance(one, str)
        }
        assert set(row.choices) <= used, row.path


def test_the_later_release_has_a_field_more_in_every_section(later: Any) -> None:
    for chain, answer in zip(CHAINS, later([{"chain": chain} for chain in CHAINS]), strict=True):
        full = answer["full"]
        assert full["schema"] == 2
        assert full["later"] == 0.25
        for section in ("chain", "data", "model", "training", "measurement"):
            assert full[section]["later"] == 0.25, (chain, section)


def test_no_name_moves_when_every_section_has_a_field_more(later: Any) -> None:
    answers = later([_written_before(one["spec"]) for one in GOLDEN])
    for one, answer in zip(GOLDEN, answers, strict=True):
        expected = {name: one[name] for name in ("measurement", "training", "chain", "shape")}
        assert answer["names"] == expected, one["spec"]


def test_what_uses_nothing_new_is_kept_so_that_code_of_before_reads_it(later: Any) -> None:
    answers = later([_written_before(one["spec"]) for one in GOLDEN])
    for one, answer in zip(GOLDEN, answers, strict=True):
        assert answer["schema"] == 1
        spec = Submission.model_validate_json(json.dumps(one["spec"])).spec
        assert answer["kept"] == rgcontract.kept(spec, "json")
        assert answer["again"] == one["measurement"]


def test_a_default_that_is_not_as_before_is_another_experiment_and_needs_newer_code(
    later: Any,
) -> None:
    (answer,) = later([{}])
    assert answer["schema"] == 2
    assert answer["names"]["measurement"] != GOLDEN[0]["measurement"]
    assert answer["again"] == answer["names"]["measurement"]
    assert answer["kept"]["model"]["later"] == 0.25


MOVED = {
    "chain.later": {"measurement", "training", "chain"},
    "data.later": {"measurement", "training", "shape"},
    "model.later": {"measurement", "training", "shape"},
    "training.later": {"measurement", "training", "shape"},
    "measurement.later": {"measurement"},
    "later": {"measurement", "training", "shape"},
}


@pytest.mark.parametrize("chain", CHAINS, ids=lambda chain: chain["family"])
def test_a_value_of_a_later_field_moves_the_names_of_what_it_decides(
    later: Any, chain: Any
) -> None:
    before, *changed = later(
        [
            _written_before({"chain": chain}),
            *(_with_later({"chain": chain}, path, 0.75) for path in MOVED),
        ]
    )
    for (path, moved), answer in zip(MOVED.items(), changed, strict=True):
        found = {name for name, value in answer["names"].items() if value != before["names"][name]}
        assert found == moved, path
        assert answer["schema"] == 2
        assert answer["again"] == answer["names"]["measurement"]


@pytest.mark.parametrize("path", MOVED)
def test_the_value_as_before_written_out_moves_nothing(later: Any, path: Any) -> None:
    before, written = later([_written_before({}), _with_later({}, path, 0.5)])
    assert written["names"] == before["names"]
    assert written["kept"] == before["kept"]

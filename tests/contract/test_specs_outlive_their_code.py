"""What is stored under a name is found by it, whatever fields specs get later.

The later release is this one, in a copy of the wire contract in which every section has a field
more, and enumerations a value.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from golden_names import NAMES, unused
from pydantic import ValidationError

import rgcontract
from rgcontract import SCHEMA, ExperimentSpec, StoredSpec, Submission, field_problems, schema_of
from rgcontract.chains import Family
from rgcontract.fields import allowed
from rgcontract.forms import below

GOLDEN = json.loads(NAMES.read_text())
NEXT = SCHEMA + 1
"""The schema of the later release."""
LATER = (
    f"    later: Annotated[float, About(since={NEXT}, as_before=0.5{{more}})] = 0.25\n"
    '    """Came later; its default is not what all had before."""\n'
)
NEEDED: dict[str, dict[str, Any]] = {
    "explicit": {"matrix": [[0.5, 0.5], [0.25, 0.75]]},
    "spectrum": {"eigenvalues": [0.5, 0.25]},
}
CHAINS = [{"family": str(family), **NEEDED.get(family, {})} for family in Family]
NEW_VALUES = {
    "networks": {
        '"gelu", "tanh", "silu"]': '"gelu", "tanh", "silu", "later"]',
        '"adam", "sgd"]': '"adam", "sgd", "later"]',
    },
    "spec": {
        'Annotated[Activation, About(symbol="f")]': (
            f'Annotated[Activation, About(symbol="f", new_values={{"later": {NEXT}}})]'
        ),
        "optimizer: Optimizer =": (
            f'optimizer: Annotated[Optimizer, About(new_values={{"later": {NEXT}}})] ='
        ),
    },
}
"""Module -> what is written there otherwise: an activation and an optimizer more."""
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
        if isinstance(node, ast.ClassDef) and node.name in {*SECTIONS, "Parts"}
    ]
    for node in sorted(found, key=lambda one: -one.lineno):
        end = node.body[0].end_lineno  # of its docstring
        assert end is not None
        more = ", decides=Decides.WEIGHTS" if node.name == "Parts" else ""
        lines.insert(end, LATER.format(more=more))
    return "".join(lines)


SECTIONS = {part.__name__ for parts in below(ExperimentSpec).values() for part in parts}


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the later release makes of specs."""
    directory = tmp_path_factory.mktemp("later")
    contract = directory / "rgcontract"
    shutil.copytree(Path(rgcontract.__file__).parent, contract)
    for module in ("spec", "chains", "networks"):
        path = contract / f"{module}.py"
        source = path.read_text()
        for old, new in NEW_VALUES.get(module, {}).items():
            assert source.count(old) == 1, old
            source = source.replace(old, new)
        path.write_text(_with_a_field_more(source))

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
    assert unused([one["spec"] for one in GOLDEN]) == []


def test_the_later_release_has_a_field_more_in_every_section(later: Any) -> None:
    for chain, answer in zip(CHAINS, later([{"chain": chain} for chain in CHAINS]), strict=True):
        full = answer["full"]
        assert full["schema"] == NEXT
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
        spec = Submission.model_validate_json(json.dumps(one["spec"])).spec
        assert answer["schema"] == schema_of(spec)
        assert answer["kept"] == rgcontract.kept(spec, "json")
        assert answer["again"] == one["measurement"]


def test_a_default_that_is_not_as_before_is_another_experiment_and_needs_newer_code(
    later: Any,
) -> None:
    (answer,) = later([{}])
    assert answer["schema"] == NEXT
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
        assert answer["schema"] == NEXT
        assert answer["again"] == answer["names"]["measurement"]


@pytest.mark.parametrize("path", MOVED)
def test_the_value_as_before_written_out_moves_nothing(later: Any, path: Any) -> None:
    before, written = later([_written_before({}), _with_later({}, path, 0.5)])
    assert written["names"] == before["names"]
    assert written["kept"] == before["kept"]


NEW = {"model.activation": "later", "training.optimizer": "later"}


def _with_new(path: str) -> dict[str, Any]:
    section, _, name = path.rpartition(".")
    return {section: {name: NEW[path]}}


@pytest.mark.parametrize("path", NEW)
def test_a_new_value_is_another_experiment_and_needs_newer_code(later: Any, path: str) -> None:
    before, new = later([_written_before({}), _written_before(_with_new(path))])
    assert (before["schema"], new["schema"]) == (1, NEXT)
    moved = {name for name, value in new["names"].items() if value != before["names"][name]}
    assert moved == {"measurement", "training", "shape"}
    assert new["again"] == new["names"]["measurement"]


@pytest.mark.parametrize("path", NEW)
def test_a_new_value_is_kept_as_it_is_beside_nothing_else_that_is_new(
    later: Any, path: str
) -> None:
    section, _, name = path.rpartition(".")
    before, new = later([_written_before({}), _written_before(_with_new(path))])
    assert new["kept"].pop(section) == {**before["kept"].pop(section), name: NEW[path]}
    assert new["kept"] == before["kept"]


@pytest.mark.parametrize("model", [Submission, StoredSpec])
@pytest.mark.parametrize("path", NEW)
def test_code_of_before_refuses_a_new_value_with_those_that_it_knows(path: str, model: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        model.model_validate_json(json.dumps({**_with_new(path), "seeds": [0]}))
    (problem,) = field_problems(refused.value, model)
    assert (problem.field, problem.allowed) == (path, allowed(model, path))

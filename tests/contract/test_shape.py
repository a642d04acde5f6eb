"""What the members of a fleet have in common."""

from __future__ import annotations

import json
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from rgcontract import ExperimentSpec, Submission, shape_hash
from rgcontract.about import About, Decides
from rgcontract.fields import rows


def spec(**fields: Any) -> Submission:
    return Submission.model_validate_json(json.dumps(fields))


DEFAULT = spec()


@pytest.mark.parametrize(
    "fields",
    [
        {"seeds": [7]},
        {"chain": {"corr_len": 7}},
        {"chain": {"seed": 5}},
        {"chain": {"family": "potts", "n_states": 16, "corr_len": 3}},
        {"training": {"lr": 0.5}},
        {"training": {"weight_decay": 0}},
        {"training": {"grad_clip": None}},
        {"measurement": {"n_sequences": 64, "at": "log"}},
        {"priority": 3, "label": "x", "tags": ["y"], "device": "cuda"},
    ],
    ids=str,
)
def test_members_of_a_fleet_may_differ_in(fields: Any) -> None:
    assert shape_hash(spec(**fields)) == shape_hash(DEFAULT)


@pytest.mark.parametrize(
    "fields",
    [
        {"chain": {"n_states": 8}},
        {"data": {"seq_len": 64}},
        {"data": {"mask_prob": 0.2}},
        {"model": {"depth": 4}},
        {"model": {"width": 32}},
        {"model": {"mixing": "flat"}},
        {"model": {"context": 2}},
        {"model": {"activation": "relu"}},
        {"training": {"steps": 10}},
        {"training": {"batch_size": 64}},
        {"training": {"optimizer": "sgd"}},
        {"training": {"schedule": "constant"}},
    ],
    ids=str,
)
def test_members_of_a_fleet_agree_in(fields: Any) -> None:
    assert shape_hash(spec(**fields)) != shape_hash(DEFAULT)


class Plain(BaseModel):
    depth: Annotated[int, About(decides=Decides.WEIGHTS)] = 1
    note: str = ""


def test_of_what_says_no_more_that_is_shared_which_decides_the_weights() -> None:
    assert {row.path: row.shared for row in rows(Plain)} == {"depth": True, "note": False}


def test_the_rows_of_a_spec_say_in_what_members_may_differ() -> None:
    deciding = [row for row in rows(ExperimentSpec) if row.decides is Decides.WEIGHTS]
    own = {row.path for row in deciding if not row.shared}
    assert {path for path in own if not path.startswith("chain.")} == {
        "training.lr", "training.weight_decay", "training.grad_clip",
    }  # fmt: skip
    assert {row.path for row in deciding if row.section == "chain" and row.shared} == {
        "chain.n_states"
    }

"""What the members of a fleet have in common."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel

from rgcontract import Submission, shape_hash
from rgcontract.about import Decides
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
    depth: int = 1


def test_a_field_that_says_nothing_of_it_is_shared_and_decides_nothing() -> None:
    (row,) = rows(Plain)
    assert (row.shared, row.decides) == (True, Decides.NOTHING)

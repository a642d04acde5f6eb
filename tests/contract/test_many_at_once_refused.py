"""What is wrong with many submissions is said of each by its place among them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from rgcontract.bulk import MOST_REFUSED, BulkSubmission, bulk_problems


def _fields(body: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        BulkSubmission.model_validate_json(json.dumps(body))
    return [problem.field for problem in bulk_problems(caught.value)]


def test_a_field_of_a_submission_is_named_with_its_place() -> None:
    wrong = {"chain": {"corr_len": -1}, "model": {"depth": 0}}
    fields = _fields({"experiments": [{}, wrong, {}, {"training": {"steps": 1.5}}]})
    assert fields == [
        "experiments.1.chain.corr_len",
        "experiments.1.model.depth",
        "experiments.3.training.steps",
    ]


def test_a_submission_that_is_no_object_is_named_by_its_place_alone() -> None:
    assert _fields({"experiments": [{}, 7]}) == ["experiments.1"]


@pytest.mark.parametrize("body", [{}, {"experiments": 7}, {"experiments": []}])
def test_what_is_wrong_with_all_of_them_is_named_without_a_place(body: Any) -> None:
    assert _fields(body) == ["experiments"]


def test_beside_a_field_of_all_those_of_each_are_named() -> None:
    assert _fields({"experiments": [{"priority": 11}, {}], "colour": "red"}) == [
        "experiments.0.priority",
        "colour",
    ]


def test_of_very_many_the_first_are_named() -> None:
    fields = _fields({"experiments": [{"priority": 11}] * (MOST_REFUSED + 5)})
    assert fields == [f"experiments.{index}.priority" for index in range(MOST_REFUSED)]

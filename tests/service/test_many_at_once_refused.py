"""What is wrong with many submissions is said of each by its place among them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rgcontract.problem import MOST_NAMED
from rgservice.experiments.bulk import bulk_of
from rgservice.http.errors import InvalidSpec, OverLimit
from rgstore.settings import Settings


def _refusal(body: Any, **settings: Any) -> InvalidSpec:
    with pytest.raises(InvalidSpec) as caught:
        bulk_of(json.dumps(body).encode(), Settings(**settings))
    return caught.value


def _fields(body: Any) -> list[str]:
    return [problem.field for problem in _refusal(body).errors]


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


def test_what_is_beside_them_is_named_first() -> None:
    assert _fields({"experiments": [{"priority": 11}, {}], "colour": "red"}) == ["colour"]


def test_of_very_many_the_first_are_named_and_the_others_counted() -> None:
    found = _refusal({"experiments": [{"priority": 11}] * (MOST_NAMED + 5)}).problem()
    places = [f"experiments.{index}.priority" for index in range(MOST_NAMED)]
    assert [problem.field for problem in found.errors] == places
    assert found.more == 5
    assert found.detail.endswith("; and 5 more")


def test_what_takes_too_long_to_check_is_refused_with_the_limit() -> None:
    body = json.dumps({"experiments": [{}] * 2}).encode()
    with pytest.raises(OverLimit, match="RGLAB_MAX_READING_SECONDS"):
        bulk_of(body, Settings(max_reading_seconds=1e-9))

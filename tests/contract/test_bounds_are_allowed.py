"""The values at a bound are allowed: the smallest chains, the certain and the impossible step."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rgcontract import Submission
from rgcontract.fields import allowed, children, nearest_by_section


def _chain(**fields: Any) -> Any:
    return Submission.model_validate_json(json.dumps({"chain": fields})).chain


def test_two_states_have_one_eigenvalue_of_their_own() -> None:
    assert _chain(family="spectrum", eigenvalues=[0.5]).eigenvalues == (0.5,)


@pytest.mark.parametrize(
    "matrix", [[[0.5, 0.5], [1.0, 0.0]], [[0.0, 1.0, 0.0], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]]]
)
def test_a_step_may_be_certain_or_impossible(matrix: Any) -> None:
    assert [list(row) for row in _chain(family="explicit", matrix=matrix).matrix] == matrix


def test_a_word_that_is_like_no_field_still_has_a_nearest_one_in_every_section() -> None:
    found = nearest_by_section("qqqq", Submission)
    sections = {name for name in children(Submission, "") if children(Submission, name)}
    assert {path.partition(".")[0] for path in found} == sections


def test_what_is_said_to_be_allowed_of_eigenvalues_is_what_a_chain_can_have() -> None:
    words = allowed(Submission, "chain.eigenvalues")
    assert words is not None
    assert words.startswith("a list of 1 to 255 of: number")
    assert words.count("-1") == 1
    assert ">= -1" in words
    assert "< 1" in words

"""A grid may be as large as the server allows, and no larger."""

from __future__ import annotations

import pytest

from rgcontract import StudyRequest
from rgservice.http.errors import OverLimit
from rgservice.studies.asking import grid_of
from rgstore.settings import Settings

SIX = StudyRequest.model_validate_json(
    '{"chain": {"corr_len": [1, 7]}, "model": {"depth": [4, 6, 8]}, "seeds": 1}'
)


def test_as_many_experiments_as_are_allowed_are_taken() -> None:
    assert len(grid_of(SIX, Settings(max_study_experiments=6)).cells) == 6


def test_one_more_is_refused_with_both_numbers() -> None:
    with pytest.raises(OverLimit) as refused:
        grid_of(SIX, Settings(max_study_experiments=5))
    (problem,) = refused.value.errors
    assert problem.message.startswith("the grid has 6")
    assert problem.allowed == "at most 5 (RGLAB_MAX_STUDY_EXPERIMENTS)"

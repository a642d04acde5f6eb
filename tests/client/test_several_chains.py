"""An experiment over several draws of its chain: runs have two seeds, errors are over chains."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from rgclient import Result
from rgclient._series import run_key

RANKS = {"0/0": [10.0, 5.0], "0/1": [10.0, 7.0], "1/0": [10.0, 8.0], "1/1": [10.0, 10.0]}


@pytest.fixture
def result(result_of_runs: Callable[[dict[str, list[float]]], Result]) -> Result:
    return result_of_runs(RANKS)


@pytest.mark.parametrize(("name", "key"), [("3", 3), ("1/3", (1, 3))])
def test_a_run_is_named_by_its_seeds(name: str, key: Any) -> None:
    assert run_key(name) == key


def test_the_values_of_a_run_are_found_by_both_seeds(result: Result) -> None:
    assert result.effective_rank().per_seed[(1, 0)] == (10.0, 8.0)


def test_the_error_of_the_collapse_ratio_is_over_the_means_of_the_chains(result: Result) -> None:
    found = result.collapse_ratio()
    assert found.mean == pytest.approx(0.75)  # chains: 0.6 and 0.9
    assert found.standard_error == pytest.approx(0.15)


def test_the_title_counts_chains_and_seeds(result: Result) -> None:
    assert "2 chains x 2 seeds" in repr(result)


def test_one_chain_with_two_seeds_has_the_error_over_the_seeds(result_of_runs: Any) -> None:
    found = result_of_runs({"0": [10.0, 5.0], "1": [10.0, 7.0]}).collapse_ratio()
    assert found.standard_error == pytest.approx(math.sqrt(0.02 / 2))

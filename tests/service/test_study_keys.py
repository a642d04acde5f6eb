"""A study that is asked for under an idempotency key is counted once, and answered as it was."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from rgstore.database import Database
from rgstore.tables import RunRow, StudyRow, SubmissionRow

GRID = {"chain": {"corr_len": [1, 7]}, "model": {"depth": 2}, "seeds": 2}
SEVERAL_CHAINS = {**GRID, "chain": {"corr_len": [1, 7], "seeds": 3}}


def _ask(api: TestClient, body: dict[str, Any], key: str | None = "abc") -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return api.post("/v1/studies", json=body, headers=headers)


def _count(database: Database, table: Any) -> int | None:
    with database.begin() as session:
        return session.scalar(select(func.count()).select_from(table))


@pytest.mark.parametrize("grid", [GRID, SEVERAL_CHAINS, GRID | {"chain": {"corr_len": [1]}}])
def test_a_study_that_comes_again_under_its_key_is_answered_the_same(
    api: TestClient, database: Database, grid: dict[str, Any]
) -> None:
    first = _ask(api, grid)
    stored = _count(database, SubmissionRow)
    again = _ask(api, grid)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["created"]
    assert first.json()["added_runs"] == _count(database, RunRow)
    assert first.json() == again.json()
    assert _count(database, SubmissionRow) == stored


def test_a_study_that_was_known_is_said_to_be_so_again(api: TestClient) -> None:
    _ask(api, GRID, key=None)
    first, again = _ask(api, GRID | {"seeds": 3}), _ask(api, GRID | {"seeds": 3})
    assert (first.status_code, again.status_code) == (200, 200)
    assert (again.json()["created"], again.json()["added_runs"]) == (False, 2)
    assert first.json() == again.json()


def test_the_same_grid_in_another_order_is_the_same_body(api: TestClient) -> None:
    other = GRID | {"chain": {"corr_len": [7, 1]}}
    assert _ask(api, GRID).json() == _ask(api, other).json()


@pytest.mark.parametrize(
    "changes",
    [
        {"seeds": 3},
        {"chain": {"corr_len": [1, 3]}},
        {"priority": 1},
        {"tags": ["a"]},
        {"name": "another"},
        {"device": "cpu"},
        {"target_error": 0.1},
        {"max_seeds": 5},
    ],
)
def test_the_key_with_another_body_is_refused(
    api: TestClient, database: Database, changes: dict[str, Any]
) -> None:
    _ask(api, GRID)
    other = _ask(api, GRID | changes)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert (_count(database, StudyRow), _count(database, RunRow)) == (1, 4)


def test_the_key_of_an_experiment_is_not_one_of_a_study(api: TestClient) -> None:
    headers = {"Idempotency-Key": "abc"}
    api.post("/v1/experiments", json={"seeds": 1}, headers=headers)
    assert _ask(api, GRID).json()["code"] == "idempotency_key_reused"


def test_what_comes_again_steers_nothing_anew(api: TestClient) -> None:
    name = _ask(api, GRID | {"target_error": 0.1}).json()["id"]
    _ask(api, GRID | {"target_error": 0.5}, key="later")
    _ask(api, GRID | {"target_error": 0.1})
    assert api.get(f"/v1/studies/{name}").json()["target_error"] == 0.5


def test_the_same_key_at_the_same_moment_is_counted_once(
    api: TestClient, database: Database
) -> None:
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: _ask(api, GRID), range(6)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert _count(database, SubmissionRow) == 2

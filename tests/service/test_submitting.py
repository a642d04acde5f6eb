"""POST /v1/experiments: the same record for the same spec, nothing lost, nothing counted twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import func, select, update

from rgstore.database import Database
from rgstore.tables import RunRow, SubmissionRow


def _count(database: Any, table: Any) -> int:
    with database.begin() as session:
        found: int = session.scalar(select(func.count()).select_from(table))
        return found


def test_a_new_spec_is_created_with_a_location(api: TestClient) -> None:
    answer = api.post("/v1/experiments", json={"chain": {"corr_len": 7}})
    assert answer.status_code == 201
    body = answer.json()
    assert body["created"] is True
    assert body["state"] == "queued"
    assert body["runs"] == {"queued": 3, "running": 0, "done": 0, "failed": 0, "cancelled": 0}
    assert answer.headers["Location"] == f"/v1/experiments/{body['id']}"


def test_the_same_spec_gives_the_same_record(api: TestClient, database: Database) -> None:
    first = api.post("/v1/experiments", json={"chain": {"corr_len": 7}}).json()
    again = api.post(
        "/v1/experiments", json={"chain": {"family": "random_reversible", "corr_len": 7.0}}
    )
    assert again.status_code == 200
    assert again.json()["id"] == first["id"]
    assert again.json()["created"] is False
    assert again.json()["added_seeds"] == []
    assert _count(database, RunRow) == 3


def test_more_seeds_add_only_the_missing_ones(api: TestClient, announcer: Any) -> None:
    api.post("/v1/experiments", json={"seeds": [0, 1]})
    sent = len(announcer.told)
    more = api.post("/v1/experiments", json={"seeds": [1, 2, 5]}).json()
    assert more["added_seeds"] == [2, 5]
    assert (more["seeds"], more["runs"]["queued"]) == ([1, 2, 5], 3)
    assert len(announcer.told) - sent == 2


def test_submissions_at_the_same_moment_make_one_record(
    api: TestClient, database: Database
) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: api.post("/v1/experiments", json={"seeds": 4}), range(16))
        )
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert sum(answer.json()["created"] for answer in answers) == 1
    assert _count(database, RunRow) == 4
    assert _count(database, SubmissionRow) == 16


def test_more_submissions_at_once_than_connections_are_all_stored(
    api: TestClient, database: Database
) -> None:
    with ThreadPoolExecutor(40) as pool:  # 20 connections
        answers = list(pool.map(lambda index: _submit(api, chain={"seed": index}), range(40)))
    assert {answer.status_code for answer in answers} == {201}
    assert _count(database, SubmissionRow) == 40


def test_seeds_and_tags_that_cross_at_the_same_moment_are_all_stored(
    api: TestClient, database: Database
) -> None:
    asked = [([index % 3, 10 + index % 4], [f"t{index % 2}"]) for index in range(16)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda one: _submit(api, seeds=one[0], tags=one[1]), asked))
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert _count(database, RunRow) == 7


def _submit(api: Any, **body: Any) -> Any:
    return api.post("/v1/experiments", json=body)


def test_an_experiment_whose_last_run_is_just_taken_still_answers(
    api: TestClient, database: Database
) -> None:
    name = api.post("/v1/experiments", json={"seeds": 1}).json()["id"]
    with database.begin() as session:  # between a claim's two writes, as a reader may see them
        session.execute(update(RunRow).values(state="cancelled"))
    answer = api.get(f"/v1/experiments/{name}")
    assert (answer.status_code, answer.json()["waiting"]) == (200, None)


def test_an_idempotency_key_is_counted_once(api: TestClient, database: Database) -> None:
    headers = {"Idempotency-Key": "abc"}
    first = api.post("/v1/experiments", json={"seeds": 2}, headers=headers)
    again = api.post("/v1/experiments", json={"seeds": 2}, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert _count(database, SubmissionRow) == 1


def test_an_idempotency_key_with_another_body_is_refused(
    api: TestClient, database: Database
) -> None:
    headers = {"Idempotency-Key": "abc"}
    api.post("/v1/experiments", json={"seeds": 2}, headers=headers)
    other = api.post("/v1/experiments", json={"seeds": 3}, headers=headers)
    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_key_reused"
    assert _count(database, RunRow) == 2


def test_a_dry_run_says_the_cost_and_stores_nothing(api: TestClient, database: Database) -> None:
    answer = api.post("/v1/experiments?dry_run=true", json={"seeds": 2})
    assert answer.status_code == 200
    body = answer.json()
    assert body["cached"] is False
    assert body["missing_seeds"] == [0, 1]
    assert body["seconds"] > 0
    assert body["memory_bytes"] > 0
    assert body["stored_bytes"] > 0
    assert _count(database, RunRow) == 0


def test_a_draw_of_a_chain_is_stored_once_whatever_its_seeds(api: TestClient) -> None:
    def stored(draws: int, seeds: int, n_states: int = 256) -> int:
        body = {"chain": {"n_states": n_states, "seeds": draws}, "seeds": seeds}
        found: int = api.post("/v1/experiments?dry_run=true", json=body).json()["stored_bytes"]
        return found

    matrix = 8 * 256**2
    assert stored(64, 1) > 64 * matrix
    of_seeds, of_draws = stored(2, 8), stored(8, 2)
    assert 6 * matrix < of_draws - of_seeds < 6.1 * matrix


def test_cost_over_the_limit_is_refused_with_the_estimate_and_stores_nothing(
    api: TestClient, database: Database
) -> None:
    answer = api.post(
        "/v1/experiments",
        json={"model": {"width": 1024, "depth": 64}, "training": {"steps": 1_000_000}},
    )
    assert answer.status_code == 422
    body = answer.json()
    assert body["code"] == "over_limit"
    assert body["errors"][0]["field"] == "flops"
    assert body["estimate"]["flops"] > 1e16
    assert _count(database, RunRow) == 0


def test_cancelled_runs_are_queued_again_by_a_new_submission(api: TestClient) -> None:
    name = api.post("/v1/experiments", json={"seeds": 2}).json()["id"]
    api.post(f"/v1/experiments/{name}/cancel")
    again = api.post("/v1/experiments", json={"seeds": 2}).json()
    assert again["state"] == "queued"
    assert again["added_seeds"] == [0, 1]


def test_tags_of_later_submissions_are_added(api: TestClient) -> None:
    name = api.post("/v1/experiments", json={"tags": ["a"]}).json()["id"]
    api.post("/v1/experiments", json={"tags": ["b"], "label": "the default"})
    view = api.get(f"/v1/experiments/{name}").json()
    assert view["tags"] == ["a", "b"]
    assert view["label"] == "the default"

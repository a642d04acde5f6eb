"""POST /v1/experiments/bulk: as if one after another, and all or nothing."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from rgservice.app import create_app
from rgstore.database import Database
from rgstore.settings import Settings
from rgstore.tables import ExperimentRow, RunRow, SubmissionRow

BULK = "/v1/experiments/bulk"
JSON = {"Content-Type": "application/json"}


def _count(database: Any, table: Any) -> int:
    with database.begin() as session:
        found: int = session.scalar(select(func.count()).select_from(table))
        return found


def _bulk(api: Any, *specs: Any, query: str = "", **options: Any) -> Any:
    return api.post(f"{BULK}{query}", json={"experiments": specs}, **options)


def _short(corr_len: float, **more: Any) -> Any:
    return {"chain": {"corr_len": corr_len}, **more}


def test_answers_come_in_the_order_of_the_specs(api: TestClient) -> None:
    lengths = [7, 1, 3]
    answer = _bulk(api, *map(_short, lengths))
    assert answer.status_code == 201
    names = [one["id"] for one in answer.json()["experiments"]]
    found = [api.get(f"/v1/experiments/{name}").json()["spec"]["chain"] for name in names]
    assert [chain["corr_len"] for chain in found] == lengths


def test_each_answer_is_that_of_a_submission_by_itself(api: TestClient) -> None:
    specs = [_short(7, seeds=2, tags=["a"]), _short(1), {"chain": {"family": "potts"}}]
    many = _bulk(api, *specs).json()["experiments"]
    again = [api.post("/v1/experiments", json=spec).json() for spec in specs]
    told_once = {"created": False, "added_seeds": []}
    assert [one | told_once for one in many] == again
    assert [one["created"] for one in many] == [True] * 3
    assert [one["added_seeds"] for one in many] == [[0, 1], [0, 1, 2], [0, 1, 2]]


def test_the_same_spec_twice_is_one_experiment(api: TestClient, database: Database) -> None:
    answer = _bulk(api, _short(7, seeds=[0, 1]), _short(7.0, seeds=[1, 2])).json()["experiments"]
    assert [one["created"] for one in answer] == [True, False]
    assert [one["added_seeds"] for one in answer] == [[0, 1], [2]]
    assert answer[0]["id"] == answer[1]["id"]
    assert (_count(database, ExperimentRow), _count(database, RunRow)) == (1, 3)


def test_words_of_the_same_spec_are_those_of_all(api: TestClient) -> None:
    words: list[dict[str, Any]] = [
        {"tags": ["b"]},
        {"tags": ["a"], "label": "first"},
        {"label": "second"},
    ]
    name = _bulk(api, *(_short(7, **one) for one in words)).json()["experiments"][0]["id"]
    view = api.get(f"/v1/experiments/{name}").json()
    assert (view["tags"], view["label"]) == (["a", "b"], "first")


def test_experiments_that_are_there_get_the_missing_seeds_only(
    api: TestClient, database: Database
) -> None:
    api.post("/v1/experiments", json=_short(7, seeds=[0, 1]))
    answer = _bulk(api, _short(7, seeds=[1, 2]), _short(1, seeds=1)).json()["experiments"]
    assert [one["created"] for one in answer] == [False, True]
    assert [one["added_seeds"] for one in answer] == [[2], [0]]
    assert _count(database, RunRow) == 4


def test_where_nothing_is_new_the_answer_is_200(api: TestClient) -> None:
    _bulk(api, _short(7))
    assert _bulk(api, _short(7)).status_code == 200


def test_cancelled_runs_are_queued_again(api: TestClient) -> None:
    (first,) = _bulk(api, _short(7)).json()["experiments"]
    api.post(f"/v1/experiments/{first['id']}/cancel")
    again, other = _bulk(api, _short(7), _short(1)).json()["experiments"]
    assert (again["state"], again["added_seeds"]) == ("queued", [0, 1, 2])
    assert other["created"] is True


def test_runs_wait_in_the_order_in_which_they_were_asked_for(
    api: TestClient, database: Database
) -> None:
    lengths = [5, 3, 9, 1, 7]
    names = [one["id"] for one in _bulk(api, *map(_short, lengths)).json()["experiments"]]
    with database.begin() as session:
        line = session.execute(
            select(RunRow.experiment_id, RunRow.seed).order_by(
                RunRow.priority.desc(), RunRow.queued_at, RunRow.id
            )
        ).all()
    assert [tuple(run) for run in line] == [(name, seed) for name in names for seed in range(3)]


def test_workers_are_told_of_new_runs(api: TestClient, announcer: Any, database: Database) -> None:
    _bulk(api, _short(7, seeds=2), _short(1, seeds=1))
    with database.begin() as session:
        assert sorted(announcer.told) == sorted(session.scalars(select(RunRow.id)))


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (_short(-1), "experiments.2.chain.corr_len"),
        ({"chain": {"family": "potts", "corr_len": "7"}}, "experiments.2.chain.corr_len"),
        ({"chain": {"family": "ising"}}, "experiments.2.chain.family"),
        ({"model": {"widht": 4}}, "experiments.2.model.widht"),
        ({"model": {"context": 20}}, "experiments.2.model.context"),
        (
            {"chain": {"family": "explicit", "corr_len": 9, "matrix": [[0.5, 0.5], [0.1, 0.9]]}},
            "experiments.2.chain.corr_len",
        ),
        ([], "experiments.2"),
        (None, "experiments.2"),
    ],
)
def test_one_bad_spec_refuses_all_and_is_named_with_its_place(
    api: TestClient, database: Database, bad: Any, field: str
) -> None:
    answer = _bulk(api, _short(1), _short(2), bad)
    assert answer.status_code == 422
    body = answer.json()
    assert body["code"] == "invalid_spec"
    assert [error["field"] for error in body["errors"]] == [field]
    assert body["errors"][0]["allowed"]
    assert (_count(database, ExperimentRow), _count(database, SubmissionRow)) == (0, 0)


def test_a_misspelt_field_gets_a_suggestion(api: TestClient) -> None:
    answer = _bulk(api, {"chain": {"corr_length": 7}})
    assert "did you mean chain.corr_len?" in answer.json()["detail"]


def test_of_very_many_bad_specs_the_first_twenty_are_named(api: TestClient) -> None:
    errors = _bulk(api, *([_short(-1)] * 50)).json()["errors"]
    assert [error["field"] for error in errors] == [
        f"experiments.{index}.chain.corr_len" for index in range(20)
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "experiments"),
        ({"experiments": []}, "experiments"),
        ({"experiments": {}}, "experiments"),
        ({"experiments": [{}], "seeds": 3}, "seeds"),
        ([{}], "body"),
        ({"experiments": [{}] * 5001}, "experiments"),
    ],
)
def test_what_is_no_list_of_specs_is_refused(api: TestClient, body: Any, field: str) -> None:
    answer = api.post(BULK, json=body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert answer.json()["errors"][0]["allowed"]


def test_what_is_not_strict_json_is_refused(api: TestClient) -> None:
    answer = api.post(BULK, content='{"experiments": [{"seeds": NaN}]}', headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_json")


def test_a_body_over_its_cap_is_refused(api: TestClient, settings: Settings) -> None:
    answer = api.post(BULK, content=b" " * (settings.max_bulk_bytes + 1), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert "RGLAB_MAX_BULK_BYTES" in answer.json()["detail"]


def test_the_cap_is_not_that_of_a_single_submission(api: TestClient, settings: Settings) -> None:
    padded = json.dumps({"experiments": [{}]}) + " " * settings.max_body_bytes
    assert api.post(BULK, content=padded, headers=JSON).status_code == 201


def test_a_spec_over_a_limit_refuses_all_and_is_named_with_its_place(
    api: TestClient, database: Database
) -> None:
    large = {"model": {"width": 1024, "depth": 64}, "training": {"steps": 1_000_000}}
    answer = _bulk(api, _short(1), large)
    assert (answer.status_code, answer.json()["code"]) == (422, "over_limit")
    assert "experiments.1.flops" in [error["field"] for error in answer.json()["errors"]]
    assert answer.json()["estimate"]["flops"] > 1e16
    assert _count(database, RunRow) == 0


@pytest.mark.parametrize(
    ("limit", "field"),
    [
        ({"max_bulk_runs": 5}, "runs"),
        ({"max_bulk_flops": 1.0}, "flops"),
        ({"max_bulk_stored_bytes": 1}, "stored_bytes"),
    ],
)
def test_what_all_cost_together_is_limited(
    settings: Settings, announcer: Any, token: str, database: Database, limit: Any, field: str
) -> None:
    tight = settings.model_copy(update=limit)
    headers = {"Authorization": f"Bearer {token}"}
    with TestClient(create_app(tight, announcer), headers=headers) as api:
        answer = _bulk(api, _short(1), _short(2))
    assert (answer.status_code, answer.json()["code"]) == (422, "over_limit")
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert f"RGLAB_{next(iter(limit)).upper()}" in error["allowed"]
    assert _count(database, RunRow) == 0


def test_what_is_there_costs_nothing(
    settings: Settings, announcer: Any, token: str, api: TestClient
) -> None:
    _bulk(api, _short(1), _short(2))
    tight = settings.model_copy(update={"max_bulk_flops": 1.0})
    headers = {"Authorization": f"Bearer {token}"}
    with TestClient(create_app(tight, announcer), headers=headers) as other:
        assert _bulk(other, _short(1), _short(2)).status_code == 200


def test_a_dry_run_says_the_cost_of_all_and_stores_nothing(
    api: TestClient, database: Database
) -> None:
    one = api.post("/v1/experiments?dry_run=true", json=_short(7)).json()
    answer = _bulk(api, _short(7), _short(7), _short(1), query="?dry_run=true")
    assert answer.status_code == 200
    assert answer.json()["missing_runs"] == 6
    assert answer.json()["flops"] == 2 * one["flops"]
    assert _count(database, RunRow) == 0


def test_an_idempotency_key_is_counted_once_and_answered_the_same(
    api: TestClient, database: Database
) -> None:
    headers = {"Idempotency-Key": "abc"}
    first = _bulk(api, _short(7), _short(1), _short(7), headers=headers)
    again = _bulk(api, _short(7), _short(1), _short(7), headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert _count(database, SubmissionRow) == 3


def test_an_idempotency_key_with_another_body_is_refused(
    api: TestClient, database: Database
) -> None:
    headers = {"Idempotency-Key": "abc"}
    _bulk(api, _short(7), _short(1), headers=headers)
    other = _bulk(api, _short(1), _short(7), headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert _count(database, SubmissionRow) == 2


def test_a_key_is_of_many_or_of_one_but_not_both(api: TestClient) -> None:
    headers = {"Idempotency-Key": "abc"}
    _bulk(api, _short(7), headers=headers)
    other = api.post("/v1/experiments", json=_short(7), headers=headers)
    assert other.json()["code"] == "idempotency_key_reused"


def test_the_same_many_at_the_same_moment_are_stored_once(
    api: TestClient, database: Database
) -> None:
    lengths = list(range(1, 21))

    def ask(number: int) -> Any:
        order = lengths if number % 2 else lengths[::-1]
        return _bulk(api, *map(_short, order))

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(ask, range(6)))
    assert {answer.status_code for answer in answers} <= {200, 201}
    created = [one["created"] for answer in answers for one in answer.json()["experiments"]]
    assert sum(created) == 20
    assert (_count(database, ExperimentRow), _count(database, RunRow)) == (20, 60)


def test_the_same_key_at_the_same_moment_is_counted_once(
    api: TestClient, database: Database
) -> None:
    headers = {"Idempotency-Key": "abc"}
    with ThreadPoolExecutor(6) as pool:
        answers = list(
            pool.map(lambda _: _bulk(api, _short(7), _short(1), headers=headers), range(6))
        )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert _count(database, SubmissionRow) == 2


def test_more_seeds_of_the_same_many_at_the_same_moment_are_all_stored(
    api: TestClient, database: Database
) -> None:
    _bulk(api, *(_short(length, seeds=1) for length in range(1, 11)))

    def ask(number: int) -> Any:
        order = range(1, 11) if number % 2 else range(10, 0, -1)
        specs = (_short(n, seeds=[0, 1 + number % 3], tags=[f"t{number}"]) for n in order)
        return _bulk(api, *specs)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(ask, range(6)))
    assert {answer.status_code for answer in answers} == {200}
    assert _count(database, RunRow) == 40


def test_no_token_is_refused(anonymous: TestClient) -> None:
    assert _bulk(anonymous, {}).status_code == 401

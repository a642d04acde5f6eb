"""Bad input gets a clear 4xx as problem+json, with the field and what is allowed."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

JSON = {"Content-Type": "application/json"}


def _problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["code"] == code
    assert body["status"] == status
    assert body["detail"]
    return body


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"chain": {"corr_len": NaN}}',
        '{"chain": {"corr_len": Infinity}}',
        '{"chain": {"corr_len": 1e400}}',
        '{"seeds": ' + "9" * 400 + "}",
        '{"label": "a\\u0000b"}',
        '{"label": "\\ud800"}',
        '{"seeds": 1, "seeds": 2}',
        '{"a":' * 5000 + "1" + "}" * 5000,
        '{"label": "\xff"}'.encode("latin-1"),
        "",
    ],
)
def test_what_is_not_strict_json_is_refused(api: TestClient, text: Any) -> None:
    answer = api.post("/v1/experiments", content=text, headers=JSON)
    _problem(answer, 400, "invalid_json")


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"chain": {"corr_len": -1}}', "chain.corr_len"),
        ('{"chain": {"corr_len": true}}', "chain.corr_len"),
        ('{"chain": {"corr_len": "7"}}', "chain.corr_len"),
        ('{"chain": {"corr_length": 7}}', "chain.corr_length"),
        ('{"chain": {"family": "ising"}}', "chain.family"),
        ('{"chain": []}', "chain"),
        ('{"training": {"steps": 1.5}}', "training.steps"),
        ('{"model": {"mixing": "flat", "context": 2}}', "model.context"),
        ('{"seeds": 0}', "seeds"),
        ('{"corr_len": 7}', "corr_len"),
        ("[]", "body"),
        ("null", "body"),
    ],
)
def test_a_refused_field_is_named_with_what_is_allowed(
    api: TestClient, text: str, field: str
) -> None:
    answer = api.post("/v1/experiments", content=text, headers=JSON)
    body = _problem(answer, 422, "invalid_spec")
    assert [error["field"] for error in body["errors"]] == [field]
    assert body["errors"][0]["allowed"]


def test_a_misspelt_field_gets_a_suggestion(api: TestClient) -> None:
    answer = api.post("/v1/experiments", json={"chain": {"corr_length": 7}})
    assert "did you mean chain.corr_len?" in answer.json()["detail"]


def test_a_body_over_the_cap_is_refused(api: TestClient) -> None:
    answer = api.post("/v1/experiments", content=b" " * 100_001, headers=JSON)
    _problem(answer, 413, "body_too_large")


def test_a_body_that_is_not_json_is_refused(api: TestClient) -> None:
    answer = api.post("/v1/experiments", data={"chain": "1"})
    _problem(answer, 415, "unsupported_media_type")


def test_no_token_is_refused(anonymous: TestClient) -> None:
    answer = anonymous.post("/v1/experiments", json={})
    _problem(answer, 401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_wrong_token_is_refused(anonymous: TestClient) -> None:
    answer = anonymous.get("/v1/experiments", headers={"Authorization": "Bearer rgl_wrong"})
    _problem(answer, 401, "invalid_token")


def test_another_host_is_refused(api: TestClient) -> None:
    answer = api.get("/v1/experiments", headers={"Host": "evil.example"})
    _problem(answer, 421, "wrong_host")


def test_an_unknown_path_is_a_problem_too(api: TestClient) -> None:
    _problem(api.get("/v2/experiments"), 404, "not_found")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/v1/experiments", "GET, HEAD, POST"), ("/v1/studies/x/cancel", "POST"), ("/", "GET, HEAD")],
)
def test_a_wrong_method_is_a_problem_that_names_all_there_are(
    api: TestClient, path: str, allowed: str
) -> None:
    answer = api.put(path)
    _problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == allowed


@pytest.mark.parametrize("path", ["/", "/healthz", "/v1/experiments", "/v1/experiments/e-0"])
def test_head_is_answered_as_get(api: TestClient, path: str) -> None:
    answer, got = api.head(path), api.get(path)
    assert answer.status_code == got.status_code
    assert answer.headers["Content-Type"] == got.headers["Content-Type"]


@pytest.mark.parametrize("name", ["e-0000000000000000", "nothing", "%00", "a" * 5000])
def test_an_unknown_experiment_is_not_found(api: TestClient, name: Any) -> None:
    _problem(api.get(f"/v1/experiments/{name}"), 404, "not_found")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=x", "limit"),
        ("state=busy", "state"),
        ("corr_len_min=nan", "corr_len_min"),
        ("depth=99999999999999999999", "depth"),
        ("cursor=abc", "cursor"),
        ("cursor=%00", "cursor"),
        ("tag=%00", "tag"),
    ],
)
def test_a_bad_query_names_the_parameter(api: TestClient, query: str, field: str) -> None:
    body = _problem(api.get(f"/v1/experiments?{query}"), 422, "invalid_query")
    assert body["errors"][0]["field"] == field
    assert body["errors"][0]["allowed"]


def test_an_idempotency_key_that_is_too_long_is_refused(api: TestClient) -> None:
    answer = api.post("/v1/experiments", json={}, headers={"Idempotency-Key": "k" * 201})
    _problem(answer, 422, "invalid_query")

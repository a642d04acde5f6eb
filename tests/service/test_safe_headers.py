"""What every answer tells a browser, whatever it answers."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from rgservice.http.deps import caller
from rgservice.http.safety import SAFE

ANSWERS = [
    ("GET", "/", 200),
    ("GET", "/healthz", 200),
    ("GET", "/metrics", 200),
    ("GET", "/docs", 200),
    ("GET", "/docs/assets/swagger-ui.css", 200),
    ("GET", "/openapi.json", 200),
    ("GET", "/v1/experiments", 200),
    ("GET", "/v1/experiments/e-none", 404),
    ("PUT", "/v1/experiments", 405),
    ("GET", "/v1/experiments?x=1", 422),
    ("POST", "/v1/experiments", 415),
    ("GET", "/nothing", 404),
    ("OPTIONS", "/v1/experiments", 405),
]


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
def test_every_answer_has_them_once(api: TestClient, method: str, path: str, status: int) -> None:
    answer = api.request(method, path, headers={"Origin": "http://elsewhere"})
    assert answer.status_code == status
    for name in SAFE:
        assert len(answer.headers.get_list(name)) == 1, name
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
def test_no_other_site_is_let_in(api: TestClient, method: str, path: str, status: int) -> None:
    asked = {"Origin": "http://elsewhere", "Access-Control-Request-Method": "POST"}
    answer = api.request(method, path, headers=asked)
    assert answer.status_code == status
    assert not [name for name in answer.headers if name.startswith("access-control-")]


def _safe(answer: Any) -> dict[str, str | None]:
    return {name: answer.headers.get(name) for name in SAFE}


def test_a_refusal_without_a_token_has_them(anonymous: TestClient) -> None:
    assert _safe(anonymous.get("/v1/me")) == SAFE


def test_another_host_name_is_answered_with_them(api: TestClient) -> None:
    assert _safe(api.get("/v1/me", headers={"Host": "elsewhere"})) == SAFE


def test_a_mistake_of_the_server_has_them(api: TestClient) -> None:
    def broken() -> None:
        raise RuntimeError

    assert isinstance(api.app, FastAPI)
    api.app.dependency_overrides[caller] = broken
    answer = api.get("/v1/me")
    assert answer.status_code == 500
    assert _safe(answer) == SAFE
    assert answer.headers["Cache-Control"] == "no-store"


def test_what_takes_a_token_is_kept_by_nobody_on_the_way(api: TestClient) -> None:
    assert api.get("/v1/experiments").headers["Cache-Control"] == "no-store"
    assert api.get("/v1/schema").headers["Cache-Control"] == "private, no-cache"
    assert "Cache-Control" not in api.get("/docs/assets/swagger-ui.css").headers

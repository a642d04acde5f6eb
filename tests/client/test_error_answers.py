"""From an answer that is not a success to an exception that says what to do."""

from __future__ import annotations

import pickle

import httpx
import pytest

import rgclient
from rgclient import ResponseError, ServerError
from rgclient._answers import KINDS
from rgcontract import Code

EXPECTED = [
    (400, "invalid_json", rgclient.InvalidSpec),
    (422, "invalid_spec", rgclient.InvalidSpec),
    (413, "body_too_large", rgclient.InvalidSpec),
    (422, "over_limit", rgclient.OverLimit),
    (401, "not_authenticated", rgclient.Unauthorized),
    (401, "invalid_token", rgclient.Unauthorized),
    (404, "not_found", rgclient.NotFound),
    (409, "not_ready", rgclient.NotReady),
    (409, "not_cancellable", rgclient.Conflict),
    (409, "not_retryable", rgclient.Conflict),
    (422, "idempotency_key_reused", rgclient.Conflict),
    (500, "internal", rgclient.ServerError),
    (501, "unavailable", rgclient.ServerError),
    (422, "invalid_query", rgclient.ResponseError),
]


@pytest.mark.parametrize(("status", "code", "kind"), EXPECTED)
def test_each_code_has_its_exception(client, server, answer, status, code, kind):
    server.will(answer.problem(status, code, "this is why"))
    with pytest.raises(ResponseError, match="this is why") as caught:
        client.get("exp1")
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.code) == (status, code)
    assert caught.value.problem is not None
    assert caught.value.problem.detail == "this is why"


def test_every_kind_stands_for_a_code_of_the_contract():
    assert set(KINDS) <= set(Code)
    assert {Code(code) for _, code, _ in EXPECTED} >= set(KINDS)


def test_refused_fields_are_listed_with_what_is_allowed(client, server, answer):
    errors = [
        {"field": "chain.corr_len", "message": "too small", "allowed": "number >= 0.05"},
        {"field": "model.depth", "message": "too deep", "allowed": None},
    ]
    server.will(answer.problem(422, "invalid_spec", "two fields were refused", errors=errors))
    with pytest.raises(rgclient.InvalidSpec) as caught:
        client.submit(corr_len=0)
    assert str(caught.value).splitlines() == [
        "two fields were refused",
        "  chain.corr_len: too small (allowed: number >= 0.05)",
        "  model.depth: too deep",
    ]
    assert [error.field for error in caught.value.errors] == ["chain.corr_len", "model.depth"]


def test_what_the_server_adds_is_kept(client, server, answer):
    server.will(answer.problem(422, "over_limit", estimate={"seconds": 1e6}))
    with pytest.raises(rgclient.OverLimit) as caught:
        client.submit()
    assert caught.value.problem.model_extra == {"estimate": {"seconds": 1e6}}


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(404, html="<h1>nginx</h1>"),
        httpx.Response(403),
        httpx.Response(418, json=["teapot"]),
        httpx.Response(404, json={"detail": "Not Found"}),
        httpx.Response(400, content=b"\xff\xfe{"),
        httpx.Response(302, headers={"Location": "https://login.example/?token=x"}),
        httpx.Response(400, content=b"[" * 100_000),
    ],
    ids=["html", "empty", "list", "other json", "bytes", "redirect", "deep"],
)
def test_an_answer_that_is_not_rglabs_is_a_clean_error(client, server, response):
    server.will(response)
    with pytest.raises(ResponseError, match="Is the address right") as caught:
        client.get("exp1")
    assert type(caught.value) is ResponseError
    assert caught.value.status == response.status_code
    assert caught.value.code is None
    assert caught.value.errors == []
    assert len(str(caught.value)) < 600


def test_a_page_of_a_proxy_with_status_500_is_a_server_error(client, server):
    server.will(httpx.Response(500, html="<h1>oops</h1>"))
    with pytest.raises(ServerError, match="oops"):
        client.get("exp1")


def test_a_code_of_a_newer_server_keeps_its_detail(client, server, answer):
    server.will(answer.problem(403, "too_new", "ask the operator"))
    with pytest.raises(ResponseError, match="ask the operator") as caught:
        client.get("exp1")
    assert caught.value.code == "too_new"


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(200, html="<h1>captive portal</h1>"),
        httpx.Response(200, json={"id": "exp1"}),
        httpx.Response(200, content=b""),
        httpx.Response(204),
    ],
)
def test_a_success_that_says_something_else_is_an_error(client, server, response):
    server.will(response)
    with pytest.raises(ResponseError, match="not as an RGLab server"):
        client.get("exp1")


def test_a_field_of_a_newer_server_is_no_error(client, server, answer):
    server.will(answer.experiment(mood="good"))
    assert client.get("exp1").id == "exp1"


def test_no_message_has_the_token(client, server):
    server.will(httpx.ConnectError("refused"))
    with pytest.raises(rgclient.ServerUnreachable) as caught:
        client.get("exp1")
    assert "rgl-secret" not in str(caught.value)


def test_an_error_survives_a_trip_between_processes(client, server, answer):
    server.will(answer.problem(404, "not_found", "no experiment 'exp1'"))
    with pytest.raises(rgclient.NotFound) as caught:
        client.get("exp1")
    back = pickle.loads(pickle.dumps(caught.value))
    assert (type(back), str(back)) == (rgclient.NotFound, "no experiment 'exp1'")
    assert (back.status, back.code) == (404, "not_found")

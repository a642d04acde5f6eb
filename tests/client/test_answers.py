"""From the server's errors to exceptions that say what to do."""

from __future__ import annotations

import pickle
from typing import Any

import httpx
import pytest

import rgclient
from rgclient import _errors
from rgcontract import Code

EXPECTED = {
    Code.INVALID_REQUEST: "ResponseError",
    Code.HEAD_TOO_LARGE: "ResponseError",
    Code.INVALID_JSON: "InvalidSpec",
    Code.INVALID_SPEC: "InvalidSpec",
    Code.INVALID_QUERY: "ResponseError",
    Code.BODY_TOO_LARGE: "InvalidSpec",
    Code.UNSUPPORTED_MEDIA_TYPE: "ResponseError",
    Code.OVER_LIMIT: "OverLimit",
    Code.NOT_AUTHENTICATED: "Unauthorized",
    Code.INVALID_TOKEN: "Unauthorized",
    Code.WRONG_HOST: "ResponseError",
    Code.INVALID_CONTRACT: "ResponseError",
    Code.CONTRACT_MISMATCH: "ContractMismatch",
    Code.FORBIDDEN: "Forbidden",
    Code.NOT_ASKED: "Forbidden",
    Code.NOT_FOUND: "NotFound",
    Code.CHANGED: "Conflict",
    Code.METHOD_NOT_ALLOWED: "ResponseError",
    Code.NOT_READY: "NotReady",
    Code.NOT_CANCELLABLE: "Conflict",
    Code.NOT_RETRYABLE: "Conflict",
    Code.LAST_ADMIN: "Conflict",
    Code.USER_EXISTS: "Conflict",
    Code.USER_DISABLED: "Conflict",
    Code.TOO_MANY_TOKENS: "Conflict",
    Code.UNREADABLE_SPEC: "Conflict",
    Code.UNREADABLE_RECORD: "Conflict",
    Code.IDEMPOTENCY_KEY_REUSED: "Conflict",
    Code.QUEUED_RUNS_QUOTA: "QuotaExceeded",
    Code.FLOPS_PER_DAY_QUOTA: "QuotaExceeded",
    Code.STORED_BYTES_QUOTA: "QuotaExceeded",
    Code.REQUEST_RATE: "TooManyRequests",
    Code.REQUEST_TIMEOUT: "ServerError",
    Code.BUSY: "ServerError",
    Code.UNAVAILABLE: "ServerError",
    Code.INTERNAL: "ServerError",
}


@pytest.mark.parametrize("code", list(Code))
def test_a_code_is_an_exception(client: Any, server: Any, answer: Any, code: Any) -> None:
    server.will(answer.problem(400, code))
    with pytest.raises(rgclient.ResponseError, match="what to do") as caught:
        client.get("exp1")
    assert type(caught.value).__name__ == EXPECTED[code]
    assert (caught.value.status, caught.value.code) == (400, code)
    assert caught.value.problem is not None


def test_refused_fields_are_listed_with_what_is_allowed(
    client: Any, server: Any, answer: Any
) -> None:
    refused = [
        {"field": "chain.corr_len", "message": "is negative", "allowed": "0.05 to 1000"},
        {"field": "seeds", "message": "has a seed twice", "allowed": None},
    ]
    server.will(answer.problem(422, "invalid_spec", "The spec was refused.", errors=refused))
    with pytest.raises(rgclient.InvalidSpec) as caught:
        client.submit(corr_len=-1)
    assert str(caught.value) == (
        "The spec was refused.\n"
        "  chain.corr_len: is negative (allowed: 0.05 to 1000)\n"
        "  seeds: has a seed twice"
    )
    assert [error.field for error in caught.value.errors] == ["chain.corr_len", "seeds"]


def test_a_refused_field_that_the_detail_names_too_is_said_once(
    client: Any, server: Any, answer: Any
) -> None:
    refused = [{"field": "seeds", "message": "has a seed twice", "allowed": None}]
    server.will(answer.problem(422, "invalid_spec", "seeds: has a seed twice", errors=refused))
    with pytest.raises(rgclient.InvalidSpec) as caught:
        client.submit(corr_len=1)
    assert str(caught.value).count("has a seed twice") == 1


@pytest.mark.parametrize(
    "foreign",
    [
        httpx.Response(404, html="<h1>nginx</h1>"),
        httpx.Response(403, text="denied"),
        httpx.Response(302, headers={"location": "https://login.example"}),
        httpx.Response(400, json={"error": "other api"}),
        httpx.Response(400, json=["a", "list"]),
        httpx.Response(418, content=b"\xff\xfe\x00"),
    ],
    ids=["html", "text", "redirect", "json", "list", "bytes"],
)
def test_an_answer_of_something_in_between_is_a_clean_error(
    client: Any, server: Any, foreign: Any
) -> None:
    server.will(foreign)
    with pytest.raises(rgclient.ResponseError, match=str(foreign.status_code)) as caught:
        client.get("exp1")
    assert type(caught.value) is rgclient.ResponseError
    assert (caught.value.status, caught.value.code) == (foreign.status_code, None)
    assert caught.value.errors == []


def test_a_redirect_says_where_to(client: Any, server: Any) -> None:
    server.will(httpx.Response(302, headers={"location": "https://login.example"}))
    with pytest.raises(rgclient.ResponseError, match="to https://login"):
        client.get("exp1")


def test_a_long_page_is_cut_short(client: Any, server: Any) -> None:
    server.will(httpx.Response(404, html="<p>" + "x" * 100_000))
    with pytest.raises(rgclient.ResponseError) as caught:
        client.get("exp1")
    assert len(str(caught.value)) < 500


def test_a_500_of_something_in_between_is_a_server_error(client: Any, server: Any) -> None:
    server.will(httpx.Response(500, html="<h1>oops</h1>"))
    with pytest.raises(rgclient.ServerError):
        client.get("exp1")


@pytest.mark.parametrize(
    "page", [httpx.Response(200, html="<h1>log in</h1>"), httpx.Response(200, json={"id": "exp1"})]
)
def test_a_success_that_is_not_the_contract_is_an_error(
    client: Any, server: Any, page: Any
) -> None:
    server.will(page)
    with pytest.raises(rgclient.ResponseError, match="not as an RGLab server"):
        client.get("exp1")


def test_a_code_of_a_newer_server_still_says_what_to_do(
    client: Any, server: Any, answer: Any
) -> None:
    server.will(answer.problem(451, "embargoed", "wait for the paper"))
    with pytest.raises(rgclient.ResponseError, match="wait for the paper") as caught:
        client.get("exp1")
    assert (caught.value.status, caught.value.code) == (451, "embargoed")


def test_the_query_stays_out_of_the_message(client: Any, server: Any) -> None:
    server.will(httpx.Response(404, html="<h1>nginx</h1>"))
    with pytest.raises(rgclient.ResponseError) as caught:
        list(client.experiments(owner="ada"))
    assert "owner" not in str(caught.value)


@pytest.mark.parametrize(
    "error",
    [
        _errors.InvalidSpec("no", status=422, code="invalid_spec"),
        _errors.ExperimentFailed("no", experiment_id="e", causes=[_errors.FailedRun(0, "boom", 2)]),
        _errors.WaitTimeout("no", experiment_id="e"),
        _errors.NotMeasured("no"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_exception_comes_back_from_another_process(error: Any) -> None:
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error)
    assert (str(back), vars(back)) == (str(error), vars(error))


def test_a_key_error_reads_like_the_others() -> None:
    assert str(_errors.NotMeasured("there is 'x'")) == "there is 'x'"

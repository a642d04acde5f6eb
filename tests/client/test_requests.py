"""What travels, and what is tried again."""

from __future__ import annotations

import contextlib
import uuid
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from threading import Thread
from typing import Any

import httpx
import pytest

from rgclient import (
    Client,
    Conflict,
    OverLimit,
    QuotaExceeded,
    RGLabError,
    ServerError,
    ServerUnreachable,
    TooManyRequests,
)
from rgclient._backoff import asked_seconds, delay
from rgclient._clock import Clock

REFUSED = httpx.ConnectError("connection refused")
SLOW = httpx.ReadTimeout("timed out")
GATEWAY = httpx.Response(503, html="<h1>upstream</h1>")


def test_a_submission_carries_the_body_and_the_token(client: Any, server: Any, answer: Any) -> None:
    server.will(answer.acknowledgement())
    client.submit(corr_len=7, depth=4)
    (request,) = server.requests
    assert server.paths == ["POST /v1/experiments"]
    assert server.bodies == [{"chain": {"corr_len": 7}, "model": {"depth": 4}}]
    assert request.headers["authorization"] == "Bearer rgl-secret"
    assert request.headers["content-type"] == "application/json"


def test_each_submission_has_a_key_of_its_own(client: Any, server: Any, answer: Any) -> None:
    server.will(answer.acknowledgement())
    client.submit()
    client.submit()
    keys = [uuid.UUID(request.headers["idempotency-key"]) for request in server.requests]
    assert [key.version for key in keys] == [4, 4]
    assert keys[0] != keys[1]


def test_two_503_and_then_an_answer_is_an_answer(client: Any, server: Any, answer: Any) -> None:
    server.will(GATEWAY, GATEWAY, answer.acknowledgement())
    assert client.submit(corr_len=7).id == "exp1"
    assert len(server.requests) == 3


def test_a_repeated_submission_keeps_its_key_and_body(
    client: Any, server: Any, answer: Any
) -> None:
    server.will(SLOW, GATEWAY, answer.acknowledgement())
    client.submit(corr_len=7)
    assert len({request.headers["idempotency-key"] for request in server.requests}) == 1
    assert server.bodies == [{"chain": {"corr_len": 7}}] * 3


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_passing_status_is_tried_again(
    client: Any, server: Any, answer: Any, status: int
) -> None:
    server.will(httpx.Response(status), answer.experiment())
    client.get("exp1")
    assert len(server.requests) == 2


@pytest.mark.parametrize("failure", [REFUSED, SLOW, httpx.RemoteProtocolError("cut off")])
def test_a_lost_connection_is_tried_again(
    client: Any, server: Any, answer: Any, failure: Any
) -> None:
    server.will(failure, failure, answer.experiment())
    client.get("exp1")
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [400, 404, 409, 422, 500])
def test_any_other_status_is_final(client: Any, server: Any, status: int) -> None:
    server.will(httpx.Response(status))
    with pytest.raises(Exception, match=str(status)):
        client.get("exp1")
    assert len(server.requests) == 1


def test_it_gives_up_after_five_attempts(client: Any, server: Any) -> None:
    server.will(GATEWAY)
    with pytest.raises(ServerError) as caught:
        client.get("exp1")
    assert caught.value.status == 503
    assert len(server.requests) == 5


def test_the_number_of_attempts_can_be_chosen(server: Any, time: Any) -> None:
    server.will(REFUSED)
    transport = httpx.MockTransport(server)
    with (
        Client("http://lab", "t", transport=transport, clock=time.clock, attempts=2) as client,
        pytest.raises(ServerUnreachable),
    ):
        client.get("exp1")
    assert len(server.requests) == 2


def test_the_pauses_double(client: Any, server: Any, time: Any) -> None:
    server.will(REFUSED)
    with pytest.raises(ServerUnreachable):
        client.get("exp1")
    assert time.sleeps == [0.25, 0.5, 1.0, 2.0]


def test_the_pauses_are_drawn_at_random_from_zero() -> None:
    draws = [Clock().jitter(1.0) for _ in range(200)]
    assert all(0 <= draw <= 1 for draw in draws)
    assert min(draws) < 0.2
    assert max(draws) > 0.8


def test_the_pauses_stop_growing() -> None:
    assert delay(30, Clock(jitter=lambda longest: longest)) == 8.0


def test_a_cancel_whose_answer_was_lost_is_no_error(client: Any, server: Any, answer: Any) -> None:
    server.will(SLOW, answer.problem(409, "not_cancellable"), answer.experiment("cancelled"))
    assert client.cancel("exp1").state == "cancelled"


def test_the_server_says_how_long_to_pause(
    client: Any, server: Any, answer: Any, time: Any
) -> None:
    server.will(httpx.Response(429, headers={"retry-after": "7"}), answer.experiment())
    client.get("exp1")
    assert time.sleeps == [7.0]


def test_a_rate_is_waited_for_and_said_when_it_does_not_pass(
    client: Any, server: Any, answer: Any, time: Any
) -> None:
    fast = answer.problem(429, "request_rate", "you may send 5 requests per second")
    fast.headers["retry-after"] = "3"
    server.will(fast, fast, answer.experiment())
    assert client.get("exp1").id == "exp1"
    assert time.sleeps == [3.0, 3.0]
    server.will(fast)
    with pytest.raises(TooManyRequests, match="5 requests"):
        client.get("exp1")


@pytest.mark.parametrize("retry_after", [None, "60", "7200"])
def test_a_quota_that_is_used_up_is_said_at_once_with_what_is_left(
    client: Any, server: Any, answer: Any, time: Any, retry_after: str | None
) -> None:
    told = {"quota": "queued_runs", "unit": "runs", "limit": 10, "used": 8, "left": 2, "asked": 3}
    full = answer.problem(429, "queued_runs_quota", "3 runs more where 8 of 10", quotas=[told])
    if retry_after is not None:
        full.headers["retry-after"] = retry_after
    server.will(full)
    with pytest.raises(QuotaExceeded, match="8 of 10") as caught:
        client.submit()
    assert [(one.quota, one.left) for one in caught.value.quotas] == [("queued_runs", 2)]
    assert time.sleeps == []


def test_a_pause_that_is_too_long_is_an_error_at_once(
    client: Any, server: Any, answer: Any, time: Any
) -> None:
    full = answer.problem(429, "over_limit", "come back tomorrow")
    full.headers["retry-after"] = "86400"
    server.will(full)
    with pytest.raises(OverLimit, match="tomorrow"):
        client.submit()
    assert time.sleeps == []


@pytest.mark.parametrize(("seconds", "pauses"), [(60, [60.0]), (61, [])])
def test_a_minute_is_waited_for_and_no_more(
    client: Any, server: Any, answer: Any, time: Any, seconds: int, pauses: Any
) -> None:
    full = answer.problem(503, "unavailable", "later")
    full.headers["retry-after"] = str(seconds)
    server.will(full, answer.experiment())
    with contextlib.suppress(ServerError):
        client.get("exp1")
    assert time.sleeps == pauses
    assert len(server.requests) == 1 + len(pauses)


def test_an_answer_is_waited_for_half_a_minute_and_a_connection_five_seconds(
    server: Any, answer: Any
) -> None:
    server.will(answer.experiment())
    with Client("http://lab", "t", transport=httpx.MockTransport(server)) as client:
        client.get("exp1")
    (request,) = server.requests
    limits = request.extensions["timeout"]
    assert (limits["connect"], limits["read"], limits["write"]) == (5.0, 30.0, 30.0)


def test_retry_after_may_be_a_date() -> None:
    moment = datetime.now(UTC) + timedelta(seconds=30)
    assert asked_seconds(format_datetime(moment, usegmt=True)) == pytest.approx(30, abs=2)


@pytest.mark.parametrize("header", [None, "", "soon", "-3", "nan", "1e9", "Sun, 99 Foo 2020"])
def test_a_retry_after_that_says_nothing_is_ignored(header: Any) -> None:
    assert asked_seconds(header) is None


def test_a_retry_after_in_the_past_means_now() -> None:
    assert asked_seconds("Wed, 21 Oct 2015 07:28:00 GMT") == 0


def test_a_cancellation_is_tried_again(client: Any, server: Any, answer: Any) -> None:
    server.will(GATEWAY, answer.experiment("cancelled"))
    client.cancel("exp1")
    assert server.paths == ["POST /v1/experiments/exp1/cancel"] * 2


@pytest.mark.parametrize("failure", [GATEWAY, httpx.Response(429), REFUSED, SLOW])
def test_a_retry_of_runs_is_never_sent_twice(client: Any, server: Any, failure: Any) -> None:
    server.will(failure)
    with pytest.raises(Exception, match=r"503|429|no answer"):
        client.retry("exp1")
    assert len(server.requests) == 1


def test_a_retry_whose_answer_is_lost_says_that_it_may_have_worked(
    client: Any, server: Any
) -> None:
    server.will(SLOW)
    with pytest.raises(ServerUnreachable, match="not known whether it took effect"):
        client.retry("exp1")


def test_no_connection_says_what_to_look_at(client: Any, server: Any) -> None:
    server.will(REFUSED)
    with pytest.raises(ServerUnreachable) as caught:
        client.get("exp1")
    assert "connection refused" in str(caught.value)
    assert "http://lab.test:8321" in str(caught.value)
    assert "rglab up" in str(caught.value)


def test_no_message_has_the_token(client: Any, server: Any, answer: Any) -> None:
    for failure in (REFUSED, GATEWAY, answer.problem(401, "invalid_token")):
        server.will(failure)
        with pytest.raises(RGLabError) as caught:
            client.get("exp1")
        assert "rgl-secret" not in f"{caught.value} {caught.value!r}"


def test_an_id_cannot_lead_to_another_path(client: Any, server: Any, answer: Any) -> None:
    server.will(answer.experiment())
    client.get("../../x?y#z")
    assert server.paths == ["GET /v1/experiments/..%2F..%2Fx%3Fy%23z"]


def test_the_path_of_the_address_stays_in_front(server: Any, answer: Any) -> None:
    server.will(answer.experiment())
    with Client("https://lab/rg/", "t", transport=httpx.MockTransport(server)) as client:
        client.get("exp1")
    assert server.paths == ["GET /rg/v1/experiments/exp1"]


def test_threads_share_a_client(client: Any, server: Any, answer: Any) -> None:
    server.will(answer.experiment())
    found = []
    threads = [Thread(target=lambda: found.append(client.get("exp1").id)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["exp1"] * 8


def test_a_client_is_closed_by_its_context(server: Any, answer: Any) -> None:
    server.will(answer.experiment())
    with Client("http://lab", "t", transport=httpx.MockTransport(server)) as client:
        client.get("exp1")
    with pytest.raises(RuntimeError, match="closed"):
        client.get("exp1")


def test_cancelling_what_is_cancelled_is_fine(client: Any, server: Any, answer: Any) -> None:
    server.will(answer.problem(409, "not_cancellable"), answer.experiment("cancelled"))
    assert client.cancel("exp1").state == "cancelled"


def test_cancelling_what_is_done_is_a_conflict(client: Any, server: Any, answer: Any) -> None:
    server.will(answer.problem(409, "not_cancellable", "it is done"), answer.experiment("done"))
    with pytest.raises(Conflict, match="it is done"):
        client.cancel("exp1")

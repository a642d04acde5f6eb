"""Requests: what they carry, which are sent again and when, and what is never sent twice."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from rgclient import Client, Experiment, ResponseError, ServerError, ServerUnreachable, WaitTimeout
from rgclient._backoff import asked_seconds, delay
from rgclient._clock import Clock

PASSING = [429, 502, 503, 504]
REFUSED = httpx.ConnectError("connection refused")
SILENCE = httpx.ReadTimeout("timed out")
CUT_OFF = httpx.RemoteProtocolError("peer closed connection")


def test_every_request_carries_the_token(client, server, answer):
    server.will(answer.experiment())
    client.get("exp1")
    assert server.requests[0].headers["authorization"] == "Bearer rgl-secret"


def test_a_submission_is_json_with_a_key_of_its_own(client, server, answer):
    server.will(answer.acknowledgement())
    client.submit(corr_len=7)
    client.submit(corr_len=7)
    assert server.paths == ["POST /v1/experiments"] * 2
    assert server.bodies == [{"chain": {"corr_len": 7}}] * 2
    assert {request.headers["content-type"] for request in server.requests} == {"application/json"}
    keys = [request.headers["idempotency-key"] for request in server.requests]
    assert keys[0] != keys[1]
    assert all(uuid.UUID(key).version == 4 for key in keys)


@pytest.mark.parametrize("failure", [REFUSED, SILENCE, CUT_OFF], ids=["refused", "late", "cut"])
def test_a_submission_is_sent_again_with_the_same_key(client, server, answer, failure):
    server.will(failure, failure, answer.acknowledgement())
    assert client.submit(corr_len=7).id == "exp1"
    assert len({request.headers["idempotency-key"] for request in server.requests}) == 1
    assert server.bodies == [{"chain": {"corr_len": 7}}] * 3


@pytest.mark.parametrize("status", PASSING)
@pytest.mark.parametrize("method", ["submit", "get", "cancel", "forecast"])
def test_a_passing_status_is_asked_again(client, server, answer, method, status):
    final = {
        "submit": answer.acknowledgement(),
        "get": answer.experiment(),
        "cancel": answer.experiment("cancelled"),
        "forecast": forecast_answer(),
    }[method]
    server.will(httpx.Response(status), final)
    _call(client, method)
    assert len(server.requests) == 2


@pytest.mark.parametrize("status", [400, 401, 404, 409, 413, 422, 500, 501])
def test_another_status_is_not_asked_again(client, server, status):
    server.will(httpx.Response(status))
    with pytest.raises(ResponseError):
        client.get("exp1")
    assert len(server.requests) == 1


def test_five_attempts_then_the_error(client, server):
    server.will(REFUSED)
    with pytest.raises(ServerUnreachable, match=r"lab\.test.*refused.*rglab up"):
        client.get("exp1")
    assert len(server.requests) == 5


def test_five_attempts_then_the_answer(client, server, answer):
    server.will(answer.problem(503, "unavailable", "try again in a moment"))
    with pytest.raises(ServerError, match="try again in a moment") as caught:
        client.get("exp1")
    assert len(server.requests) == 5
    assert caught.value.status == 503


def test_the_number_of_attempts_can_be_chosen(server, time):
    transport = httpx.MockTransport(server)
    server.will(REFUSED)
    with (
        Client("http://lab", "t", transport=transport, clock=time.clock, attempts=2) as client,
        pytest.raises(ServerUnreachable),
    ):
        client.health()
    assert len(server.requests) == 2


def test_the_longest_pauses_double(client, server, time):
    server.will(REFUSED)
    with pytest.raises(ServerUnreachable):
        client.get("exp1")
    assert time.sleeps == [0.25, 0.5, 1.0, 2.0]


def test_pauses_stop_growing():
    most = Clock(jitter=lambda longest: longest)
    assert delay(30, most) == 8.0


def test_pauses_have_full_jitter():
    pauses = [delay(1, Clock()) for _ in range(200)]
    assert 0 <= min(pauses) < 0.05
    assert 0.2 < max(pauses) <= 0.25


def test_retry_after_is_honoured(client, server, answer, time):
    server.will(httpx.Response(503, headers={"Retry-After": "7"}), answer.experiment())
    client.get("exp1")
    assert time.sleeps == [7.0]


def test_a_server_that_asks_for_an_hour_is_believed(client, server, time):
    server.will(httpx.Response(429, headers={"Retry-After": "3600"}))
    with pytest.raises(ResponseError):
        client.get("exp1")
    assert time.sleeps == []


def test_retry_after_may_be_a_date():
    soon = datetime.now(UTC) + timedelta(seconds=30)
    assert asked_seconds(format_datetime(soon, usegmt=True)) == pytest.approx(30, abs=2)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, None), ("soon", None), ("", None), ("0", 0.0), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0)],
)
def test_an_odd_retry_after(header, seconds):
    assert asked_seconds(header) == seconds


@pytest.mark.parametrize("failure", [REFUSED, SILENCE, httpx.Response(503)])
def test_retry_is_never_sent_twice(client, server, answer, failure):
    server.will(answer.experiment("failed"), failure)
    experiment = client.get("exp1")
    with pytest.raises((ServerUnreachable, ServerError, ResponseError)):
        experiment.retry()
    assert server.paths[1:] == ["POST /v1/experiments/exp1/retry"]


def test_a_lost_answer_to_retry_says_that_its_effect_is_not_known(client, server):
    server.will(SILENCE)
    with pytest.raises(ServerUnreachable, match="not known whether it took effect"):
        client.retry("exp1")


def test_a_cancel_whose_answer_was_lost_is_no_error(client, server, answer):
    server.will(
        SILENCE,
        answer.problem(409, "not_cancellable", "the experiment is cancelled"),
        answer.experiment("cancelled"),
    )
    assert client.cancel("exp1").state == "cancelled"


def test_a_cancel_of_what_is_done_is_an_error(client, server, answer):
    server.will(
        answer.problem(409, "not_cancellable", "the experiment is done"), answer.experiment("done")
    )
    with pytest.raises(ResponseError, match="is done"):
        client.cancel("exp1")


def test_an_id_cannot_leave_its_place_in_the_path(client, server, answer):
    server.will(answer.experiment())
    client.get("../x?y#z")
    assert server.paths == ["GET /v1/experiments/..%2Fx%3Fy%23z"]


def test_an_address_with_a_path_is_kept(server, time, answer):
    server.will(answer.experiment())
    transport = httpx.MockTransport(server)
    with Client("http://lab/rg/", "t", transport=transport, clock=time.clock) as client:
        client.get("exp1")
    assert str(server.requests[0].url) == "http://lab/rg/v1/experiments/exp1"


def test_threads_share_a_client(client, server, answer):
    server.will(lambda request: answer.experiment(id=request.url.path.rpartition("/")[2]))
    found: dict[str, str] = {}

    def look(name: str) -> None:
        found[name] = client.get(name).id

    threads = [threading.Thread(target=look, args=(f"e{i}",)) for i in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {f"e{i}": f"e{i}" for i in range(16)}


def test_a_closed_client_sends_nothing(server, time):
    with Client("http://lab", "t", transport=httpx.MockTransport(server), clock=time.clock) as it:
        pass
    with pytest.raises(RuntimeError, match="closed"):
        it.health()
    assert server.requests == []


def test_a_forecast_stores_nothing(client, server):
    server.will(forecast_answer())
    assert client.forecast(corr_len=7).seconds == 12.5
    assert server.paths == ["POST /v1/experiments?dry_run=true"]
    assert server.bodies == [{"chain": {"corr_len": 7}}]


def test_health(client, server):
    server.will(httpx.Response(200, json={"status": "ok"}))
    assert client.health().status == "ok"
    assert server.paths == ["GET /healthz"]


def forecast_answer() -> httpx.Response:
    return httpx.Response(
        200,
        json={
            "cached": False, "missing_seeds": [0, 1, 2], "parameters": 1, "flops": 1e12,
            "seconds": 12.5, "memory_bytes": 1, "stored_bytes": 1,
        },
    )  # fmt: skip


def _call(client: Client, method: str) -> object:
    if method == "submit":
        return client.submit(corr_len=7)
    if method == "forecast":
        return client.forecast(corr_len=7)
    return getattr(client, method)("exp1")


def test_waiting_survives_a_restart_of_the_server(client, server, answer, time):
    server.will(
        answer.experiment("running", progress=0.5),
        *[REFUSED] * 25,
        answer.experiment("done"),
        answer.result(),
    )
    handle = client.get("exp1")
    server.answers.insert(0, answer.experiment("running", progress=0.5))
    assert handle.wait().id == "exp1"


def test_waiting_gives_up_on_a_server_that_stays_away(client, server, answer, time):
    server.will(answer.experiment("running"), answer.experiment("running"), REFUSED)
    handle = client.get("exp1")
    with pytest.raises(ServerUnreachable):
        handle.wait()
    assert 300 < time.seconds < 330


def test_waiting_gives_up_at_once_on_a_refusal(client, server, answer):
    server.will(
        answer.experiment("running"),
        answer.experiment("running"),
        answer.problem(401, "invalid_token"),
    )
    with pytest.raises(ResponseError):
        client.get("exp1").wait()
    assert len(server.requests) == 3


def test_waiting_for_a_server_that_never_answered_is_short(client, server, answer, time):
    server.will(answer.acknowledgement(), REFUSED)
    handle: Experiment = client.submit()
    with pytest.raises(ServerUnreachable):
        handle.wait()
    assert time.seconds < 10


def test_a_timeout_counts_also_while_the_server_is_away(client, server, answer, time):
    server.will(answer.experiment("running"), answer.experiment("running"), REFUSED)
    handle = client.get("exp1")
    with pytest.raises(WaitTimeout):
        handle.wait(timeout=20)
    assert time.seconds < 30

"""Waiting: until the end, through outages, not for ever."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from rgclient import (
    ExperimentCancelled,
    ExperimentFailed,
    FailedRun,
    ServerError,
    ServerUnreachable,
    Unauthorized,
    WaitTimeout,
)

DOWN = httpx.ConnectError("connection refused")


@pytest.fixture
def experiment(client: Any, server: Any, answer: Any) -> Any:
    """A handle just after its submission."""
    server.will(answer.acknowledgement())
    handle = client.submit(corr_len=7)
    server.requests.clear()
    return handle


def test_it_waits_until_done_and_returns_the_result(
    experiment: Any, server: Any, answer: Any
) -> None:
    queued, running = answer.experiment("queued"), answer.experiment("running")
    server.will(queued, running, running, answer.experiment("done"), answer.result())
    assert experiment.wait(progress=False).id == "exp1"
    assert experiment.state == "done"
    assert len(server.requests) == 5


def test_what_is_done_is_not_waited_for(
    experiment: Any, server: Any, answer: Any, time: Any
) -> None:
    server.will(answer.experiment("done"), answer.result())
    experiment.wait(progress=False)
    assert time.sleeps == []


def test_the_pauses_grow_to_the_longest(
    experiment: Any, server: Any, answer: Any, time: Any
) -> None:
    server.will(*[answer.experiment("running")] * 20, answer.experiment("done"), answer.result())
    experiment.wait(progress=False)
    assert time.sleeps[0] == 0.25
    assert time.sleeps == sorted(time.sleeps)
    assert time.sleeps[-1] == 3.0


def test_the_pause_can_be_chosen(experiment: Any, server: Any, answer: Any, time: Any) -> None:
    server.will(*[answer.experiment("running")] * 3, answer.experiment("done"), answer.result())
    experiment.wait(progress=False, poll=10)
    assert time.sleeps == [10, 10, 10]


def test_a_pause_of_zero_does_not_hammer_the_server(
    experiment: Any, server: Any, answer: Any, time: Any
) -> None:
    server.will(answer.experiment("running"), answer.experiment("done"), answer.result())
    experiment.wait(progress=False, poll=0)
    assert time.sleeps == [0.05]


def test_a_timeout_says_that_it_goes_on(experiment: Any, server: Any, answer: Any) -> None:
    server.will(answer.experiment("running"))
    with pytest.raises(WaitTimeout) as caught:
        experiment.wait(timeout=60, progress=False)
    assert caught.value.experiment_id == "exp1"
    assert "not done after 60 s" in str(caught.value)
    assert "goes on: rgclient.get('exp1').wait()" in str(caught.value)
    assert "0 of 3 runs done" in str(caught.value)


def test_a_timeout_is_kept_to(experiment: Any, server: Any, answer: Any, time: Any) -> None:
    server.will(answer.experiment("running"))
    with pytest.raises(WaitTimeout):
        experiment.wait(timeout=7, progress=False, poll=5)
    assert time.seconds == 7


def test_a_timeout_of_zero_looks_once(experiment: Any, server: Any, answer: Any) -> None:
    server.will(answer.experiment("done"), answer.result())
    assert experiment.wait(timeout=0, progress=False).id == "exp1"


def test_a_failure_has_the_causes_and_what_to_do_next(
    experiment: Any, server: Any, answer: Any, make_run: Any
) -> None:
    runs = [make_run(0, "done"), make_run(1, "failed"), make_run(2, "failed", error=None)]
    counts = {"done": 1, "failed": 2}
    server.will(answer.experiment("failed", runs=runs, run_counts=counts))
    with pytest.raises(ExperimentFailed) as caught:
        experiment.wait(progress=False)
    assert caught.value.experiment_id == "exp1"
    assert caught.value.causes == (
        FailedRun(1, "CUDA out of memory", 0),
        FailedRun(2, "no cause recorded", 0),
    )
    message = str(caught.value)
    assert "1 of 3 runs done, 2 failed" in message
    assert "seed 1: CUDA out of memory" in message
    assert ".retry()" in message
    assert ".attempts()" in message
    assert ".result(partial=True)" in message


def test_a_failure_of_all_offers_no_partial_result(
    experiment: Any, server: Any, answer: Any
) -> None:
    server.will(answer.experiment("failed"))
    with pytest.raises(ExperimentFailed) as caught:
        experiment.wait(progress=False)
    assert "partial" not in str(caught.value)


def test_many_failures_are_cut_short_in_the_message_only(
    experiment: Any, server: Any, answer: Any, make_run: Any
) -> None:
    runs = [make_run(seed, "failed") for seed in range(9)]
    server.will(answer.experiment("failed", runs=runs, run_counts={"failed": 9}))
    with pytest.raises(ExperimentFailed, match="and 6 more") as caught:
        experiment.wait(progress=False)
    assert len(caught.value.causes) == 9


def test_a_cancellation_says_so(experiment: Any, server: Any, answer: Any) -> None:
    server.will(answer.experiment("running"), answer.experiment("cancelled"))
    with pytest.raises(ExperimentCancelled, match=r"exp1 was cancelled.*retry") as caught:
        experiment.wait(progress=False)
    assert caught.value.experiment_id == "exp1"


def test_a_restart_of_the_server_is_waited_out(experiment: Any, server: Any, answer: Any) -> None:
    running = answer.experiment("running")
    server.will(running, *[DOWN] * 20, answer.experiment("done"), answer.result())
    assert experiment.wait(progress=False).id == "exp1"


def test_a_gateway_without_its_server_is_waited_out(
    experiment: Any, server: Any, answer: Any
) -> None:
    away = [httpx.Response(502, html="bad gateway")] * 12
    server.will(answer.experiment("running"), *away, answer.experiment("done"), answer.result())
    assert experiment.wait(progress=False).id == "exp1"


def test_a_server_that_stays_away_is_given_up(
    experiment: Any, server: Any, answer: Any, time: Any
) -> None:
    def answers_once(_: Any) -> Any:
        server.will(DOWN)
        return answer.experiment("running")

    server.will(answers_once)
    with pytest.raises(ServerUnreachable):
        experiment.wait(progress=False)
    assert 300 < time.seconds < 330  # an outage, and the attempts of one question


def test_a_server_that_never_answered_is_given_up_at_once(
    experiment: Any, server: Any, time: Any
) -> None:
    server.will(DOWN)
    with pytest.raises(ServerUnreachable):
        experiment.wait(progress=False)
    assert time.seconds < 10


def test_a_refusal_is_no_outage(experiment: Any, server: Any, answer: Any, time: Any) -> None:
    server.will(answer.experiment("running"), answer.problem(401, "invalid_token"))
    with pytest.raises(Unauthorized):
        experiment.wait(progress=False)
    assert time.sleeps == [0.25]


def test_a_fault_of_the_server_is_no_outage(
    experiment: Any, server: Any, answer: Any, time: Any
) -> None:
    server.will(answer.experiment("running"), answer.problem(500, "internal"))
    with pytest.raises(ServerError):
        experiment.wait(progress=False)
    assert time.sleeps == [0.25]


def test_an_interrupt_leaves_the_experiment_alone(
    experiment: Any, server: Any, answer: Any
) -> None:
    def interrupted(_: Any) -> None:
        raise KeyboardInterrupt

    server.will(answer.experiment("running"), interrupted)
    with pytest.raises(KeyboardInterrupt):
        experiment.wait(progress=False)
    assert {path.partition(" ")[0] for path in server.paths} == {"GET"}


def test_a_timeout_counts_also_while_the_server_is_away(
    experiment: Any, server: Any, answer: Any, time: Any
) -> None:
    def answers_once(_: Any) -> Any:
        server.will(DOWN)
        return answer.experiment("running")

    server.will(answers_once)
    with pytest.raises(WaitTimeout):
        experiment.wait(timeout=20, progress=False)
    assert time.seconds < 30
